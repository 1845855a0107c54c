"""Sizes of network and photographs at which everything is measured."""

from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir

from ablate.config.paths import conf_dir
from ablate.config.validation import ValidConfig, validate_config
from side_by_side import ROOT

PHOTOGRAPHS = ROOT.parent / "shared" / "data" / "imagenet-sample"


@dataclass(frozen=True)
class Size:
    """Side of the photographs in pixels, photographs in a batch, and factor on the paper's filters."""

    side: int
    batch: int
    width: float

    def __str__(self) -> str:
        return f"{self.side}x{self.side}, batch {self.batch}, width {self.width:g}"


SIZES = (Size(64, 32, 0.25), Size(32, 128, 0.25), Size(64, 8, 1.0))


def photographs() -> Path | None:
    """Return the folder of photographs that is measured with unless another is named; None for the installed ones."""
    return PHOTOGRAPHS if PHOTOGRAPHS.is_dir() else None


def described(folder: Path | None) -> str:
    """Name the photographs for the results."""
    return f"photographs of the folder {folder.resolve().name}" if folder else "photographs of installed packages"


def valid_config(size: Size, folder: Path | None) -> ValidConfig:
    """Return the defaults of `python -m ablate.run` at a size, on a folder of photographs or the installed ones."""
    overrides = [
        f"data.image_size={size.side}",
        f"training.batch_size={size.batch}",
        f"backbone.width={size.width}",
        *(["data=folder", f"data.root='{folder.resolve()}'"] if folder else ["data=sample"]),
    ]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return validate_config(compose("config", overrides))
