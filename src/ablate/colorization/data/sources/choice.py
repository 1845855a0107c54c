"""Which source of photographs a configuration names."""

from ablate.colorization.config import DataConfig
from ablate.colorization.data.sources.archives import TAR_SUFFIXES, Tar, Zip
from ablate.colorization.data.sources.folders import Folder, Remote, Sample
from ablate.colorization.data.sources.source import Source
from ablate.colorization.data.sources.tfds import TensorFlowDataset
from ablate.colorization.data.storage import is_url
from ablate.config.paths import absolute
from ablate.errors import ConfigError, DataError


def source_of(config: DataConfig) -> Source:
    """Return the source that a configuration names.

    Raises:
        ConfigError: It names none.
    """
    if config.name == "sample":
        return Sample()
    if config.name == "tfds":
        assert config.dataset is not None
        root = config.root
        return TensorFlowDataset(config.dataset, root if root is None or is_url(root) else str(absolute(root)))
    if config.name != "folder" or config.root is None:
        raise ConfigError("what is prepared is data=folder data.root=DIR|ZIP|TAR, data=tfds or data=sample")
    if is_url(config.root):
        return Remote(config.root)
    path = absolute(config.root)
    name = path.name.lower()
    if path.is_file() and name.endswith(".zip"):
        return Zip(path)
    if path.is_file() and name.endswith(TAR_SUFFIXES):
        return Tar(path)
    if path.is_dir():
        return Folder(path)
    raise DataError(f"data.root={config.root} is no folder, .zip or {', '.join(TAR_SUFFIXES)} file")
