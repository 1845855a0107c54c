"""The number of further seeds that would decide what a study left undecided."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ablate.report.compare import Primary, compare
from ablate.report.more_seeds import more_seeds
from ablate.report.whole_set import WholeSet


def needed(seeds: Sequence[int] = (0, 1, 2), margin: float | None = None, noise: float = 1.0) -> dict[str, float]:
    """Compare variants whose runs vary by `noise` with a baseline: a much better, a better, and a like one."""
    random = np.random.default_rng(1)
    rows = pd.MultiIndex.from_product(
        [("baseline", "much", "some", "none"), seeds, range(50)], names=["variant", "seed", "example"]
    )
    runs = np.repeat([0.0, 30.0, 1.5, 0.01], len(seeds)) + random.normal(0, noise, 4 * len(seeds))
    scores = pd.DataFrame({"auc": np.repeat(runs, 50) + random.normal(0, 0.1, len(rows))}, index=rows)
    primary = Primary("auc", True, margin)
    return more_seeds(scores, compare(scores, {"auc": True}, primary), primary, WholeSet())


def test_what_is_open_takes_more_seeds_the_smaller_it_is() -> None:
    found = needed()
    assert set(found) == {"some", "none"}
    assert 1 <= found["some"] <= 20
    assert math.isinf(found["none"])


def test_a_margin_bounds_what_is_looked_for() -> None:
    assert math.isfinite(needed(margin=2.0)["none"])


def test_one_seed_tells_of_no_other() -> None:
    found = needed(seeds=(0,), noise=0.0)
    assert set(found) == {"none"}
    assert math.isnan(found["none"])
