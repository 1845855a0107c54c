"""The configuration of the colourisation task, validated. No TensorFlow."""

import os
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator, model_validator

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import BatchNorm, Depth, OutputRes, check_side
from ablate.config.schema import Schema

Fraction = Annotated[float, Field(ge=0, le=1)]


class DataConfig(Schema):
    """Which photographs, and how they become squares; see `conf/config.yaml` for what each key means."""

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
    def _has_a_place(self) -> "DataConfig":
        if self.name in ("folder", "prepared") and self.root is None:
            raise ValueError(f"data={self.name} needs data.root=DIR, the folder that holds the photographs")
        if self.name == "tfds" and self.dataset is None:
            raise ValueError("data=tfds needs data.dataset=NAME, as TensorFlow Datasets calls it")
        return self


class BackboneConfig(Schema):
    """The network apart from the factors."""

    width: Annotated[float, Field(gt=0, le=4)]
    batch_norm: BatchNorm


class RegularizerConfig(Schema):
    """L2 penalty on the kernels: `l2` is the paper's beside its loss, see `loss.penalty_coefficient`."""

    name: str
    l2: NonNegativeFloat


class DepthConfig(Schema):
    """How many convolutions."""

    name: Depth


class DropoutConfig(Schema):
    """Dropout of whole channels."""

    name: str
    rate: Annotated[float, Field(ge=0, lt=1)]


class OutputResConfig(Schema):
    """Side of the output."""

    name: OutputRes


class LossConfig(Schema):
    """What is minimised."""

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
    def _side_divides(self) -> "ColorizationConfig":
        try:
            check_side(self.data.image_size, self.output_res.name)
        except ValueError as error:
            raise ValueError(f"data.image_size={self.data.image_size}: {error}") from None
        return self
