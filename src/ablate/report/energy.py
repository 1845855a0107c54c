"""The energy of a study's runs, and how it is known: measured and estimated is never mixed silently."""

import pandas as pd

from ablate.report.results import Results
from ablate.system.energy_meter import energy_kind, methods_of
from ablate.tracking.names import ENERGY

_COLUMN = "energy"
"""Of the runs: `ENERGY_TAG` without its prefix."""


def energy_methods(results: Results) -> list[str]:
    """Return the different ways in which the energy of compared runs is known, a line each."""
    if _COLUMN not in results.runs or ENERGY not in results.costs:
        return []
    return sorted({str(text) for text in results.runs[_COLUMN].dropna()} - {""})


def energy_in_words(results: Results) -> str:
    """Return in a few words how the energy is known: measured, estimated, partly estimated, or several of them."""
    kinds = {energy_kind(methods_of(text)) for text in energy_methods(results)}
    return " and ".join(sorted(kinds, key=lambda kind: (not kind.startswith("measured"), kind)))


def without_mixed_energy(results: Results, costs: pd.DataFrame) -> pd.DataFrame:
    """Return costs without differences of energy where runs know theirs in different ways.

    Args:
        results: What was loaded.
        costs: What `compare.cost_differences` found.
    """
    if len(energy_methods(results)) < 2:
        return costs
    return costs.assign(difference=costs["difference"].mask(costs["metric"] == ENERGY))


def energy_note(results: Results) -> str:
    """Return what a table with energies says of them; nothing where there are none."""
    methods = energy_methods(results)
    if not methods:
        return ""
    if len(methods) == 1:
        return f"Energy: {methods[0]}."
    return f"Energy is not known in the same way for all runs, and so not compared: {' / '.join(methods)}."
