"""Control of the familywise error over a stream of hypotheses, each judged before the next is known."""

from collections.abc import Sequence

ALPHA = 0.05
"""Probability that any true null hypothesis of a stream is ever rejected, at most."""
_POWER = 1.6
_ZETA = 2.2857656656
"""Riemann's zeta function at `_POWER`: what all shares together would be if they were not divided by it."""


def share(number: int) -> float:
    """Return the share of the error that a place of a stream has: over all places they sum to 1.

    Args:
        number: The place, from 1.
    """
    return float(number**-_POWER / _ZETA)


def next_level(rejected: Sequence[bool], alpha: float = ALPHA) -> float:
    """Return the level of the next hypothesis of a stream: it is rejected where its p-value is at most that.

    This is online fallback (Tian and Ramdas 2021, doi:10.1177/0962280220983381): a place has its share of alpha, and
    also the level of the place before it where that was rejected. The probability of rejecting any true null
    hypothesis is at most alpha, however the p-values depend on each other, and however long the stream gets.

    Args:
        rejected: Of the hypotheses before, in order, whether each was rejected.
        alpha: See `ALPHA`.

    Example:
        >>> round(next_level([]), 4), round(next_level([False]), 4), round(next_level([False, True]), 4)
        (0.0219, 0.0072, 0.011)
    """
    level = alpha * share(1)
    for number, one in enumerate(rejected, start=2):
        level = alpha * share(number) + (level if one else 0.0)
    return level
