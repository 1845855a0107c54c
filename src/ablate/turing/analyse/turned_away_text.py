"""The number of browsers that gates turned away, as text."""

from collections.abc import Mapping

from ablate.report.number_format import quantity
from ablate.turing.device import ANY


def turned_away_words(turned_away: Mapping[str, int]) -> str:
    """Return how many browsers were turned away, and how many by which gate, in words.

    Args:
        turned_away: See `Answers.turned_away`; not empty.
    """
    gates = ", ".join(f"{gate} {count:,}" for gate, count in turned_away.items() if gate != ANY)
    return f"{quantity(turned_away.get(ANY, 0), 'browser')} ({gates}; one may be in several)"
