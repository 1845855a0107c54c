"""The progress of an experiment, by algorithm."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ablate.turing.analyse.rate_text import rate_text
from ablate.turing.analyse.rates import fooling_rates
from ablate.turing.database import Answers
from ablate.turing.serve.sessions import QUIET_SECONDS


def progress_by_algorithm(answers: Answers, kept: pd.DataFrame, now: float) -> Sequence[dict[str, Any]]:
    """Return a row an algorithm, as texts and counts.

    Args:
        answers: So far.
        kept: The trials that count, see `exclusions.apply_rules`.
        now: Seconds since 1970.

    Returns:
        With algorithm, started, finished, under_way, dropped_out, screened_out, trials (that count), rate (with its
        interval), response (median, s) and failed_checks.
    """
    people, trials = answers.participants, answers.trials
    rates = fooling_rates(kept).set_index("algorithm") if len(kept) else pd.DataFrame()
    answered = trials.groupby("participant")["answered"].max().reindex(people.index)
    last = answered.astype(people["started"].dtype).fillna(people["started"])
    quiet = (pd.Timestamp(now, unit="s", tz="UTC") - last).dt.total_seconds() > QUIET_SECONDS
    screened_out = people["screened_out"].notna()
    unfinished = people["finished"].isna() & ~screened_out
    tests = trials[trials["kind"] == "test"]
    fooled_by_checks = trials[(trials["kind"] == "check") & trials["fooled"]]
    rows = []
    for name in (algorithm.name for algorithm in answers.algorithms):
        own = people["algorithm"] == name
        response = tests.loc[tests["algorithm"] == name, "response_ms"].median()
        rate = rates.loc[name] if name in rates.index else None
        rows.append(
            {
                "algorithm": name,
                "started": int(own.sum()),
                "finished": int((own & people["finished"].notna()).sum()),
                "under_way": int((own & unfinished & ~quiet).sum()),
                "dropped_out": int((own & unfinished & quiet).sum()),
                "screened_out": int((own & screened_out).sum()),
                "trials": int((kept["algorithm"] == name).sum()),
                "rate": "-" if rate is None else rate_text(*rate[["rate", "low", "high"]]),
                "response": "-" if pd.isna(response) else f"{response / 1000:.1f}",
                "failed_checks": int((fooled_by_checks["algorithm"] == name).sum()),
            }
        )
    return rows
