"""A prepared data set, as `python -m ablate.prepare` makes it."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.colorization.config import DataConfig
from ablate.colorization.data.photographs import Photographs
from ablate.colorization.data.prepared.read import PreparedPhotographs, PreparedSet
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.source import Source


@dataclass(frozen=True)
class Prepared(Source):
    """A prepared data set, in a folder or at a URL."""

    root: str

    def open(self, config: DataConfig, preprocessing: Preprocessing) -> Photographs:
        """Read its manifest."""
        return PreparedPhotographs(PreparedSet(self.root, self.label, preprocessing), memory_gib=config.memory_gib)
