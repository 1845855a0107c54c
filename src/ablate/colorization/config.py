"""Schema of the colourisation task's configuration. No TensorFlow."""

import os
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator, model_validator

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import BatchNorm, Block, check_output_stride, check_side
from ablate.config.schema import Schema

Fraction = Annotated[float, Field(ge=0, le=1)]


class DataConfig(Schema):
    """The photographs, and how they become squares; see `conf/config.yaml` for what each key means."""

    name: Literal["sample", "folder", "prepared", "tfds"]
    root: str | None = None
    dataset: str | None = None
    image_size: PositiveInt
    max_zoom: Annotated[float, Field(ge=1)]
    repeats: PositiveInt
    eval_fraction: Annotated[float, Field(gt=0, lt=1)]
    max_bad_fraction: Fraction
    memory_gib: NonNegativeFloat

    @field_validator("root", mode="before")
    @classmethod
    def _as_text(cls, root: object) -> object:
        return os.fspath(root) if isinstance(root, os.PathLike) else root

    @model_validator(mode="after")
    def _has_what_its_source_needs(self) -> "DataConfig":
        needed = _NEEDED_BY_SOURCE.get(self.name)
        if needed is not None and getattr(self, needed.partition("=")[0]) is None:
            raise ValueError(f"data={self.name} needs data.{needed}")
        return self


_NEEDED_BY_SOURCE = {
    **dict.fromkeys(("folder", "prepared"), "root=DIR, the folder that holds the photographs"),
    "tfds": "dataset=NAME, as TensorFlow Datasets calls it",
}
"""The key that a source needs, and what it is."""


class BackboneConfig(Schema):
    """The network apart from the factors."""

    width: Annotated[float, Field(gt=0, le=4)]
    batch_norm: BatchNorm


class RegularizerConfig(Schema):
    """L2 penalty on the kernels: `l2` is the paper's beside its loss, see `loss.penalty_coefficient`."""

    name: str
    l2: NonNegativeFloat


class DepthConfig(Schema):
    """The blocks of convolutions; see `conf/depth/full.yaml`."""

    name: str
    blocks: Annotated[tuple[Block, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _numbers_and_last_block(self) -> "DepthConfig":
        numbers = [block.number for block in self.blocks]
        if numbers != sorted(set(numbers)):
            raise ValueError(f"the numbers of depth.blocks must ascend. Received: {numbers}")
        last = self.blocks[-1]
        if (last.stride, last.dilation) != (1, 1):
            raise ValueError(
                "the last of depth.blocks has no stride and no dilation: output_res says the output's side"
            )
        return self


class DropoutConfig(Schema):
    """Dropout of whole channels."""

    name: str
    rate: Annotated[float, Field(ge=0, lt=1)]


class OutputResConfig(Schema):
    """Resolution of the output: input pixels of an output pixel along a side."""

    name: str
    output_stride: PositiveInt


class LossConfig(Schema):
    """The loss."""

    name: Literal["rebalanced", "unweighted", "regression"]
    mix: Fraction = 0.5
    pixel_reduction: Literal["mean", "sum"]
    mask_grey: bool


class ColorConfig(Schema):
    """Colour classes, their soft encoding, prior and decoding."""

    grid_step: Annotated[int, Field(ge=4, le=50)]
    soft_bins: PositiveInt
    soft_sigma: PositiveFloat
    prior_sigma: PositiveFloat
    temperature: PositiveFloat

    @model_validator(mode="after")
    def _enough_bins(self) -> "ColorConfig":
        bins = len(ab_gamut(self.grid_step))
        if self.soft_bins > bins:
            raise ValueError(
                f"color.soft_bins={self.soft_bins} exceeds the {bins} classes of color.grid_step={self.grid_step}"
            )
        return self


class EvaluationConfig(Schema):
    """How variants are compared."""

    side: Annotated[int, Field(ge=8)]
    batch_size: PositiveInt
    samples: PositiveInt
    samples_from: str | None = None
    classifier: str | None = None

    @field_validator("samples_from", "classifier", mode="before")
    @classmethod
    def _as_text(cls, path: object) -> object:
        return os.fspath(path) if isinstance(path, os.PathLike) else path


class ColorizationConfig(Schema):
    """All of the task's sections."""

    data: DataConfig
    backbone: BackboneConfig
    regularizer: RegularizerConfig
    depth: DepthConfig
    dropout: DropoutConfig
    output_res: OutputResConfig
    loss: LossConfig
    color: ColorConfig
    evaluation: EvaluationConfig

    @model_validator(mode="after")
    def _strides_divide(self) -> "ColorizationConfig":
        blocks, stride, side = self.depth.blocks, self.output_res.output_stride, self.data.image_size
        try:
            check_output_stride(blocks, stride)
        except ValueError as error:
            raise ValueError(f"output_res.output_stride={stride}: {error}") from None
        try:
            check_side(side, blocks, stride, name=f"depth={self.depth.name} and output_res={self.output_res.name}")
        except ValueError as error:
            raise ValueError(f"data.image_size={side}: {error}") from None
        return self
