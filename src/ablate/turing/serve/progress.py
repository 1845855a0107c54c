"""The progress of an experiment, by algorithm."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ablate.report.number_format import with_interval
from ablate.turing.analyse.preference import rank_algorithms
from ablate.turing.analyse.rate_text import rate_text
from ablate.turing.analyse.rates import fooling_rates
from ablate.turing.analyse.ratings import mean_ratings
from ablate.turing.database import Answers
from ablate.turing.serve.enrollment import QUIET_SECONDS

ALL = "all algorithms"
"""The row of participants who judge several."""


def progress_by_algorithm(answers: Answers, kept: pd.DataFrame, now: float) -> Sequence[dict[str, Any]]:
    """Return a row an algorithm, as texts and counts, and one more of all where participants judge several.

    Args:
        answers: So far.
        kept: The trials that count, see `exclusions.apply_rules`.
        now: Seconds since 1970.

    Returns:
        With algorithm, started, finished, under_way, dropped_out, screened_out, trials (that count), rate (with its
        interval), response (median, s) and failed_checks. In a preference or rating design the last row alone; of
        algorithms whose participants judge others, too, what is counted of participants is empty.
    """
    protocol = answers.protocol
    names = [algorithm.name for algorithm in answers.algorithms] if protocol.has_fakes else []
    rates = fooling_rates(kept).set_index("algorithm") if len(kept) and names else pd.DataFrame()
    tests = answers.trials[answers.trials["kind"] == "test"]
    rows = list[dict[str, Any]]()
    for name in names:
        rate = rates.loc[name] if name in rates.index else None
        people = _of_participants(answers, name, now) if protocol.one_algorithm else _NOT_COUNTED
        rows.append(
            {
                "algorithm": name,
                **people,
                "trials": int((kept["algorithm"] == name).sum()),
                "rate": "-" if rate is None else rate_text(*rate[["rate", "low", "high"]]),
                "response": _median_response(tests[tests["algorithm"] == name]),
            }
        )
    if not protocol.one_algorithm:
        people = _of_participants(answers, None, now)
        rows.append({"algorithm": ALL, **people, "trials": len(kept), "rate": "", "response": _median_response(tests)})
    return rows


def standings(answers: Answers, kept: pd.DataFrame) -> Sequence[dict[str, Any]]:
    """Return a row an algorithm of a preference or rating design, the highest first; none in the other designs.

    Args:
        answers: So far.
        kept: The trials that count.

    Returns:
        With algorithm, trials (that count) and value: the share in percent, or the mean rating, with its interval.
    """
    protocol = answers.protocol
    if protocol.has_fakes or kept.empty:
        return []
    found = mean_ratings(kept, protocol.points) if protocol.is_rating else rank_algorithms(kept)
    value = "rating" if protocol.is_rating else "share"
    return [
        {
            "algorithm": row["algorithm"],
            "trials": row["trials"],
            "value": with_interval(row[value], row["low"], row["high"], plus=False),
        }
        for row in found.sort_values(value, ascending=False, kind="stable").to_dict("records")
    ]


_COUNTED = ("started", "finished", "under_way", "dropped_out", "screened_out", "failed_checks")
_NOT_COUNTED: dict[str, Any] = dict.fromkeys(_COUNTED, "")


def _of_participants(answers: Answers, algorithm: str | None, now: float) -> dict[str, Any]:
    """Count the participants of an algorithm, or all of them: see `_COUNTED`."""
    people, trials = answers.participants, answers.trials
    own = people["algorithm"] == algorithm if algorithm is not None else people["started"].notna()
    answered = trials.groupby("participant")["answered"].max().reindex(people.index)
    last = answered.astype(people["started"].dtype).fillna(people["started"])
    quiet = (pd.Timestamp(now, unit="s", tz="UTC") - last).dt.total_seconds() > QUIET_SECONDS
    screened_out = people["screened_out"].notna()
    unfinished = people["finished"].isna() & ~screened_out
    failed = trials[(trials["kind"] == "check") & trials["fooled"]]
    return {
        "started": int(own.sum()),
        "finished": int((own & people["finished"].notna()).sum()),
        "under_way": int((own & unfinished & ~quiet).sum()),
        "dropped_out": int((own & unfinished & quiet).sum()),
        "screened_out": int((own & screened_out).sum()),
        "failed_checks": int(failed["participant"].isin(people.index[own]).sum()),
    }


def _median_response(trials: pd.DataFrame) -> str:
    median = trials["response_ms"].median()
    return "-" if pd.isna(median) else f"{median / 1000:.1f}"
