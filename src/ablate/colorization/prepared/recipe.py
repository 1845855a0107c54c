"""How photographs become records."""

from dataclasses import dataclass

from ablate.colorization.config import DataConfig


@dataclass(frozen=True)
class Recipe:
    """How photographs become records; see `conf/config.yaml` for what each key means."""

    image_size: int
    max_zoom: float
    eval_fraction: float
    evaluation_side: int
    grid_step: int


def recipe_of(config: DataConfig, *, evaluation_side: int, grid_step: int) -> Recipe:
    """Return the recipe that a configuration asks for."""
    return Recipe(config.image_size, config.max_zoom, config.eval_fraction, evaluation_side, grid_step)
