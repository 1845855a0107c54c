"""A data set by its configuration: opened without decoding it, or loaded. No TensorFlow."""

from ablate.colorization.config import DataConfig
from ablate.colorization.data.photographs import ColorData, Photographs
from ablate.colorization.data.preprocessing import Preprocessing, preprocessing_of
from ablate.colorization.data.sources.registry import source_of


def open_data(config: DataConfig, preprocessing: Preprocessing) -> Photographs:
    """Find the photographs of a data set and their splits, without decoding any.

    Args:
        config: The section `data`.
        preprocessing: How photographs become pixels; prepared data must have been prepared so.

    Raises:
        DataError: There are none, or they have to be prepared first.
    """
    return source_of(config).open(config, preprocessing)


def load_data(config: DataConfig, *, evaluation_side: int, grid_step: int = 10) -> ColorData:
    """Find, check and decode the photographs of a data set.

    Args:
        config: The section `data`.
        evaluation_side: Side at which colours are compared.
        grid_step: Grid step of the classes that are counted.

    Raises:
        DataError: There are no photographs, too few, or too many bad ones.
    """
    return open_data(config, preprocessing_of(config, evaluation_side=evaluation_side, grid_step=grid_step)).load()
