"""The constant prediction, a trivial baseline: what the training targets suggest without looking at any input."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Repeated:
    """One prediction for every example: indexed like an array of them.

    Args:
        prediction: (...), that of any example.
    """

    def __init__(self, prediction: npt.NDArray[Any]):
        self._prediction = prediction

    def __getitem__(self, chosen: Any) -> npt.NDArray[Any]:
        return np.broadcast_to(self._prediction, (len(chosen), *self._prediction.shape)).copy()


def suggested(train: Any, like: Any) -> npt.NDArray[Any] | None:
    """Return the prediction that training targets suggest.

    Class numbers as targets and one output a class: the share of each class. Targets of the predictions' shape: their
    mean.

    Args:
        train: Training targets, (num_examples, ...), all or a random choice; None where they are not known.
        like: A model's prediction of one example, (1, ...).

    Returns:
        (...), as a model predicts one example, float32; None where neither is so.
    """
    if not isinstance(train, np.ndarray) or not isinstance(like, np.ndarray):
        return None
    if train.dtype.kind in "iu" and like.ndim == 2 and train.size == len(train) and train.min() >= 0:
        if train.max() >= like.shape[1]:
            return None
        return (np.bincount(train.ravel(), minlength=like.shape[1]) / len(train)).astype(np.float32)
    if train.dtype.kind in "fiub" and train.shape[1:] == like.shape[1:]:
        return np.asarray(train.mean(axis=0, dtype=np.float64), dtype=np.float32)
    return None
