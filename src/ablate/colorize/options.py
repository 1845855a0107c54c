"""Options of `python -m ablate.colorize`. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveFloat

from ablate.cli.arguments import parse_arguments
from ablate.colorize.save import QUALITY
from ablate.colorize.upsampling import Method
from ablate.config.schema import Schema, validate


class ModelOptions(Schema):
    """Which networks colour."""

    run: str = ""
    study: str | None = None
    variant: str = ""
    model: str = ""
    temperature: PositiveFloat | None = None
    upsampling: Method = "edge_aware"
    uri: str | None = None

    @property
    def run_ids(self) -> list[str]:
        """The runs."""
        return _parts(self.run, ",")

    @property
    def variants(self) -> list[str]:
        """The variants."""
        return _parts(self.variant, ";")

    @property
    def files(self) -> list[Path]:
        """The `.keras` files."""
        return [Path(self.model)] if Path(self.model).is_file() else [*map(Path, _parts(self.model, ","))]


class ColorizeOptions(ModelOptions):
    """How a command colours files."""

    out: Path = Path("colorized")
    overwrite: bool = False
    compare: bool = False
    quality: Annotated[int, Field(ge=1, le=100)] = QUALITY


def split_sources(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate files, folders and patterns from options: what has a `=` behind a key and is no file is an option."""
    options = [each for each in arguments if _has_key(each) and not Path(each).exists()]
    return [each for each in arguments if each not in options], options


def _has_key(argument: str) -> bool:
    key, equals, _ = argument.partition("=")
    return bool(equals) and "/" not in key


def parse_options(given: Sequence[str]) -> ColorizeOptions:
    """Read the options.

    Raises:
        ConfigError: One is unknown, or its value impossible.
    """
    return validate(ColorizeOptions, parse_arguments(given, list(ColorizeOptions.model_fields)))


def _parts(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]
