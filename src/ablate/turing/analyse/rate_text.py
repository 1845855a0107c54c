"""A fooling rate as text: with its interval, or with the reason why it has none."""

import math

from ablate.report.number_format import with_interval


def rate_text(rate: float, low: float, high: float) -> str:
    """Write a fooling rate.

    Args:
        rate: In percent.
        low: Lower end of its interval; NaN where there is none, which is where one participant judged.
        high: Upper end, alike.
    """
    text = with_interval(rate, low, high, plus=False)
    return f"{text} (one participant: no interval)" if math.isnan(low) else text
