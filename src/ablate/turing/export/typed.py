"""Frames with the types that the codebook says."""

import pandas as pd

from ablate.turing.export.columns import Column


def typed(frame: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return the columns of a frame that a table has, in its order and types; times in whole seconds, UTC."""
    times = [column.name for column in columns if column.type == "datetime"]
    types = {column.name: column.dtype for column in columns if column.type != "datetime"}
    # In whole seconds, which is how the codebook's format has them.
    floored = {name: frame[name].dt.floor("s") for name in times}
    return frame.assign(**floored)[[column.name for column in columns]].astype(types)
