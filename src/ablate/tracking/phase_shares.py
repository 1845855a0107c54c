"""Shares of the phases in the time of a run, or of several, and their text. No MLflow."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
from tqdm import tqdm

from ablate.system.phase_clock import Phase
from ablate.tracking.names import PHASE_SECONDS

SAME, SCALE = "the same runs before", "runs of this scale"
UNKNOWN = "Where the time of a run goes: unknown until one of this version has finished here"


@dataclass(frozen=True)
class PhaseShares:
    """Where the time of runs goes.

    Attributes:
        seconds: Median wall time of a run, over all its attempts.
        shares: Share of each phase that occurs, in order; 0..1. Of several runs medians, scaled to add up to 1.
        runs: How many runs.
        basis: Which ones.
    """

    seconds: float
    shares: Mapping[str, float]
    runs: int
    basis: str

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        shares = {phase: round(share, 6) for phase, share in self.shares.items()}
        return {**asdict(self), "seconds": round(self.seconds, 6), "shares": shares}


def phase_seconds(metrics: Mapping[str, float]) -> dict[Phase, float]:
    """Return the seconds of each phase of a run that are recorded, in order; nothing for a run of an earlier version.

    Args:
        metrics: The metrics of a run.
    """
    known = {phase: metrics.get(name, 0.0) for phase, name in PHASE_SECONDS.items()}
    return {phase: seconds for phase, seconds in known.items() if seconds > 0}


def phase_shares(
    history: pd.DataFrame, *, configurations: Collection[str], scale: str | None, devices: str | None
) -> PhaseShares | None:
    """Return where the time of finished runs goes: those of the same configurations, else those of the same scale.

    Args:
        history: Finished runs, one a row: `configuration`, `scale`, `devices`, and `PHASE_SECONDS`.
        configurations: Identities apart from the seed.
        scale: The name of the scale, None where there is none.
        devices: Of the runs that count; None: any.

    Returns:
        Medians; None where no such run has recorded its phases.
    """
    known = history.dropna(subset=[PHASE_SECONDS[Phase.TRAINING]])
    if devices is not None:
        known = known[known["devices"] == devices]
    for basis, chosen in ((SAME, known["configuration"].isin(configurations)), (SCALE, known["scale"] == scale)):
        if chosen.any():
            seconds = known.loc[chosen, list(PHASE_SECONDS.values())].astype(float).fillna(0.0)
            total = seconds.sum(axis=1)
            medians = seconds.div(total, axis=0).median().set_axis([str(phase) for phase in PHASE_SECONDS])
            shares = {str(phase): float(share / medians.sum()) for phase, share in medians.items() if share > 0}
            return PhaseShares(float(total.median()), shares, int(chosen.sum()), basis)
    return None


def phases_text(seconds: float, shares: Mapping[str, float]) -> str:
    """Say how long a run takes, and for what: `01:48: start 2 %, data 1 %, ..`."""
    parts = (f"{phase} {_percent(share)}" for phase, share in shares.items())
    return f"{tqdm.format_interval(seconds)}: {', '.join(parts)}"


def _percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
