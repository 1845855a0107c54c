"""Levels of the network's config groups, as the files in `conf/` state them."""

from functools import cache
from typing import Any

import yaml

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import Block, Layer, network_layers
from ablate.config.paths import conf_dir


@cache
def level(group: str, name: str) -> dict[str, Any]:
    """Return the values of a level."""
    values: dict[str, Any] = yaml.safe_load((conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8"))
    return values


def blocks_of(depth: str) -> tuple[Block, ...]:
    """Return the blocks of a depth."""
    return tuple(Block(**block) for block in level("depth", depth)["blocks"])


def output_stride_of(output_res: str) -> int:
    """Return the output stride of an output resolution."""
    return int(level("output_res", output_res)["output_stride"])


def variant_layers(*, depth: str = "full", output_res: str = "full", **options: Any) -> list[Layer]:
    """Return the layers of a variant of the paper's network; the options are those of `network_layers`."""
    stride = output_stride_of(output_res)
    return network_layers(blocks_of(depth), output_stride=stride, **{"outputs": len(ab_gamut()), **options})
