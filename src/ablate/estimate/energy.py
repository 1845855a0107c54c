"""Energy estimates, from what earlier runs on the same kind of device took. Pure functions on frames."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from ablate.system.energy_meter import energy_kind, methods_of


@dataclass(frozen=True)
class PowerEstimate:
    """The power that runs take.

    Attributes:
        watts: Median over earlier runs of their energy by their seconds.
        method: How the energy of these is known, see `energy_meter.methods_text`.
        runs: How many they are.
    """

    watts: float
    method: str
    runs: int

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**asdict(self), "watts": round(self.watts, 6)}


def estimate_power(history: pd.DataFrame, configurations: Collection[str]) -> PowerEstimate | None:
    """Estimate the power of runs.

    Args:
        history: Finished runs on their devices, newest first, see `runtime.measured_runs`: `configuration`, `seconds`,
            `energy_kwh` and `energy`, how that is known.
        configurations: Their identities apart from the seed; other runs count where none of these has finished.

    Returns:
        Of the runs that know their energy as the newest does: what is measured and what is estimated are not mixed.
        None where no run does.
    """
    known = history.dropna(subset=["energy_kwh", "energy"])
    known = known[(known["energy_kwh"] > 0) & (known["seconds"] > 0)]
    same = known[known["configuration"].isin(list(configurations))]
    chosen = known if same.empty else same
    if chosen.empty:
        return None
    method = str(chosen["energy"].iloc[0])
    chosen = chosen[chosen["energy"] == method]
    watts = chosen["energy_kwh"].astype(float) * 3.6e6 / chosen["seconds"].astype(float)
    return PowerEstimate(float(watts.median()), method, len(chosen))


def energy_line(energy: Mapping[str, Any], seconds: float) -> str:
    """Return what a plan says of the energy that runs of so many seconds in all will take.

    Args:
        energy: As `PowerEstimate.plain` has it.
        seconds: The sum of their times.
    """
    kind = energy_kind(methods_of(energy["method"]))
    return (
        f"Energy left: about {energy['watts'] * seconds / 3600:,.3g} Wh, {energy['watts']:.3g} W a run, {kind} in "
        f"{energy['runs']} run{'s' * (energy['runs'] > 1)} ({energy['method']})"
    )
