"""The error of an estimate from trials that share participants and photographs. Pure functions on arrays.

An estimate whose error is the sum of a part u of each trial has the two-way robust variance of Cameron, Gelbach and
Miller (2011, doi:10.1198/jbes.2010.07136). With C(g) = G / (G - 1) times the sum, over the G groups of g, of the
squared sums of u, it is

    C(participants) + C(photographs) - C(both)

The first term holds what people do, and chance. The others are what photographs do beyond that: at least 0, with one
degree of freedom less than there are photographs.
"""

import numpy as np
import numpy.typing as npt

from ablate.statistics.error_distribution import ErrorDistribution

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def two_way_error(parts: Array, people: Codes, photographs: Codes, *, least: float = 0.0) -> ErrorDistribution | None:
    """Estimate how far an estimate may lie from the truth, for other people and other photographs of the same kind.

    Args:
        parts: (num_trials,): what each trial adds to the error, to the first order.
        people: (num_trials,): who gave the answer, a number from 0 each.
        photographs: (num_trials,): of which photograph, alike.
        least: The participants' part counts as at least so much.

    Returns:
        None where there is one participant, who says nothing of others.
    """
    count, shown = (len(np.unique(codes)) for codes in (people, photographs))
    if count < 2:
        return None
    cells = people * (int(photographs.max()) + 1) + photographs
    of_photographs = _clustered(parts, photographs) - _clustered(parts, cells) if shown > 1 else 0.0
    return ErrorDistribution(
        max(_clustered(parts, people), least),
        count - 1,
        max(of_photographs, 0.0),
        shown - 1 if shown > 1 else np.inf,
    )


def _clustered(parts: Array, groups: Codes) -> float:
    sums = np.bincount(groups, parts)
    count = len(np.unique(groups))
    return float(sums @ sums) * count / (count - 1)
