"""The task that ships, with a network of two convolutions and its head."""

from functools import cached_property

from ablate.colorization.model.architecture import Layer
from ablate.colorization.task import ColorizationTask

_KEPT = ("conv1_1", "norm1", "conv2_1", "head")


class Tiny(ColorizationTask):
    """A layer of every kind: most of a run's time goes into tracing the others."""

    @cached_property
    def layers(self) -> list[Layer]:
        """The network's layers, whatever the depth."""
        rate = self.config.dropout.rate
        kept = [layer for layer in super().layers if layer.name in _KEPT]
        dropout = [Layer("drop", "dropout", rate=rate)] if rate else []
        return [*kept[:-2], *dropout, *kept[-2:]]
