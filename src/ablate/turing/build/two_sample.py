"""Classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv:1610.06545) of pairs: does anything tell the real one?

A classifier learns from pairs which picture is real and says it of others. Where it is right in half of these, what it
was given tells nothing.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from ablate.turing.build.exact_lab import Array

FOLDS = 10
CLASSIFIERS = ("logistic regression", "boosted trees")
_MOST = 3.0
"""Standard deviations beyond which a difference counts no more."""


def found_out(differences: Array, photographs: Sequence[str], *, classifier: str, seed: int = 0) -> float:
    """Return in which share of pairs a classifier tells the real picture: 0.5 by chance.

    It learns from pairs of other photographs than those of which it tells.

    Args:
        differences: (pairs, statistics), those of the recoloured picture less those of the real one.
        photographs: (pairs,), of which photograph each pair is.
        classifier: One of `CLASSIFIERS`.
        seed: From which folds and classifiers are drawn.
    """
    fit = {"logistic regression": _logistic_regression, "boosted trees": _boosted_trees}[classifier]
    folds = _folds(photographs, seed)
    right = np.empty(len(differences))
    for fold in np.unique(folds):
        told = folds == fold
        learnt, asked = differences[~told], differences[told]
        score = fit(np.concatenate([learnt, -learnt]), np.repeat([1, 0], len(learnt)), seed)
        # Of the two orders of a pair the likelier one.
        right[told] = _right(score(asked) - score(-asked))
    return float(right.mean())


def best_statistic(differences: Array, names: Sequence[str]) -> tuple[str, float]:
    """Return the statistic that alone tells most often, by being larger or smaller, and in which share of pairs.

    It is the best of many, so that it is above 0.5 by chance.

    Args:
        differences: See `found_out`.
        names: Of the statistics.
    """
    shares = _right(differences).mean(axis=0)
    best = int(np.abs(shares - 0.5).argmax())
    return names[best], float(max(shares[best], 1 - shares[best]))


def chance(pairs: int) -> float:
    """Return three standard deviations of the share of coin tosses that are right."""
    return float(3 * 0.5 / np.sqrt(pairs))


def _right(scores: Array) -> Array:
    return np.asarray((1 + np.sign(scores)) / 2)


def _folds(photographs: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    """Return the fold of each pair; all pairs of a photograph are in one."""
    names, places = np.unique(photographs, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    return np.asarray(order[places] % FOLDS)


_Score = Callable[[Array], Array]


def _logistic_regression(given: Array, real: npt.NDArray[np.int64], seed: int) -> _Score:
    scale = given.std(axis=0)
    used = scale > 0

    def prepared(differences: Array) -> Array:
        scaled = differences[:, used] / scale[used]
        # A difference may be tiny and yet have always the same sign.
        return np.concatenate([np.clip(scaled, -_MOST, _MOST), np.sign(scaled)], axis=1)

    if not used.any():
        return lambda differences: np.zeros(len(differences))
    model = LogisticRegression(fit_intercept=False, C=0.03, max_iter=5000).fit(prepared(given), real)
    return lambda differences: np.asarray(model.decision_function(prepared(differences)))


def _boosted_trees(given: Array, real: npt.NDArray[np.int64], seed: int) -> _Score:
    model = GradientBoostingClassifier(
        n_estimators=100, max_depth=3, max_features="sqrt", subsample=0.7, min_samples_leaf=5, random_state=seed
    ).fit(given, real)
    return lambda differences: np.asarray(model.decision_function(differences))
