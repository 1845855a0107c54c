"""Numbers as text: values, differences, intervals, p-values and counts."""

import numpy as np

from ablate.report.nouns import plural


def number(value: float) -> str:
    """Write a number with four significant digits, at most four of them decimal."""
    if np.isnan(value):
        return "-"
    if abs(value) >= 1e15:  # databases keep an infinite value as their largest
        return f"{value:.1e}" if abs(value) < 1e300 else "∞" if value > 0 else "-∞"
    digits = 3 - int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{min(max(digits, 0), 4)}f}"


def signed(value: float, *, counted: bool = False) -> str:
    """Write a difference with its sign and three significant digits, one of counts with its SI prefix."""
    if counted:
        return f"{'-' if value < 0 else '+'}{large(abs(value))}" if value else ""
    text = f"{value:+.3g}"
    return text if "e" not in text else f"{value:+,.0f}" if abs(value) >= 1 else f"{value:+.1g}"


def with_interval(value: float, low: float, high: float, *, plus: bool = True) -> str:
    """Write a value and its interval, all to the place that two digits of the interval's half width reach.

    An end that would round to 0 gets up to two places more: it shows on which side of 0 it lies.

    Args:
        value: A difference, or something else.
        low: The interval's lower end.
        high: Its upper end.
        plus: Whether what is above 0 has a sign, as differences have.
    """
    if np.isnan(value):
        return "-"
    half = (high - low) / 2
    if not np.isfinite(half) or half == 0:
        return (signed(value) or "0") if plus else number(value)
    places = min(max(1 - int(np.floor(np.log10(half))), 0), 6)
    for _ in range(2):
        places += any(end != 0 and round(end, places) == 0 for end in (low, high)) and places < 6
    # What rounds to nothing has no sign.
    texts = [f"{round(each, places) or 0.0:{'+' if plus else ''},.{places}f}" for each in (value, low, high)]
    mean, lowest, highest = (text.removeprefix("+") if not text.strip("+0.") else text for text in texts)
    return f"{mean} [{lowest}, {highest}]"


def unsigned_interval(value: float, low: float, high: float) -> tuple[str, str, str]:
    """Write a difference and the ends of its interval by their size, as `with_interval` does; the smaller end first.

    Both ends are on the same side of 0. Of an interval without width, or without end, all have the digits of a number.
    """
    if value < 0:
        value, low, high = -value, -high, -low
    size, _, ends = with_interval(value, low, high, plus=False).removesuffix("]").partition(" [")
    lowest, _, highest = ends.partition(", ")
    return (size, lowest, highest) if ends else (number(value), number(low), number(high))


def magnitude(value: float) -> str:
    """Write a size with two significant digits, without a power of ten."""
    if not np.isfinite(value):
        return "-" if np.isnan(value) else "∞"
    digits = 1 - int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{max(digits, 0)}f}"


def probability(p: float) -> str:
    """Write a p-value: two digits, and from below 0.001 that it is."""
    if np.isnan(p):
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def share(percent: float) -> str:
    """Write a percentage without its sign: one decimal, below 1 two."""
    return "-" if np.isnan(percent) else f"{percent:.2f}" if 0 < percent < 0.995 else f"{percent:.1f}"


def large(value: float) -> str:
    """Write a count with its SI prefix: 2032585 is 2.03 M."""
    if np.isnan(value):
        return "-"
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * factor:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.0f}"


def quantity(count: int, noun: str) -> str:
    """Write how many there are of something: 1 run, 2 runs."""
    return f"{count:,} {noun if count == 1 else plural(noun)}"
