"""The registry of sources: `data.name` -> the source of photographs that it names."""

from collections.abc import Callable

from ablate.colorization.config import DataConfig
from ablate.colorization.data.sources.archives import TAR_SUFFIXES, Tar, Zip
from ablate.colorization.data.sources.folder import Folder
from ablate.colorization.data.sources.prepared import Prepared
from ablate.colorization.data.sources.sample import Sample
from ablate.colorization.data.sources.source import Source
from ablate.colorization.data.sources.tfds import TensorFlowDataset
from ablate.colorization.data.sources.url import Url
from ablate.colorization.data.storage import absolute_location, is_url
from ablate.config.paths import absolute
from ablate.errors import DataError


def source_of(config: DataConfig) -> Source:
    """Return the source that a configuration names.

    Raises:
        DataError: There is no such folder or archive.
    """
    return SOURCES[config.name](config)


def _folder(config: DataConfig) -> Source:
    root = config.root or ""
    label = f"data.root={root}"
    if is_url(root):
        return Url(root, label=label, origin=root)
    path = absolute(root)
    name = path.name.lower()
    if path.is_file() and name.endswith(".zip"):
        return Zip(path, label=label, origin=str(path))
    if path.is_file() and name.endswith(TAR_SUFFIXES):
        return Tar(path, label=label, origin=str(path))
    if path.is_dir():
        return Folder(path, label=label, origin=str(path))
    raise DataError(f"{label} is no folder, .zip or {', '.join(TAR_SUFFIXES)} file")


def _prepared(config: DataConfig) -> Source:
    location = absolute_location(config.root or "")
    return Prepared(location, label=f"data.root={config.root}", origin=location)


def _tfds(config: DataConfig) -> Source:
    name, root = config.dataset or "", config.root
    folder = None if root is None else absolute_location(root)
    return TensorFlowDataset(name, folder, label=f"data.dataset={name}", origin=f"TensorFlow Datasets, {name}")


SOURCES: dict[str, Callable[[DataConfig], Source]] = {
    "sample": lambda config: Sample(label="data=sample", origin="installed packages"),
    "folder": _folder,
    "tfds": _tfds,
    "prepared": _prepared,
}
