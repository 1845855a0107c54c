"""What a report says about runs, as pure functions on frames: which are compared, and how they differ."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ablate.study.variant import BASELINE


@dataclass(frozen=True)
class Selection:
    """The runs that are compared.

    Attributes:
        runs: Index `run_id`; columns of `StudyRecord.runs`, one row for each variant and seed.
        left_out: What is not compared and why, a line each.
    """

    runs: pd.DataFrame
    left_out: list[str]


def select(runs: pd.DataFrame, evaluated: pd.Series | None = None) -> Selection:
    """Choose the runs that may be compared: finished, of the newest finished run's setting, the newest of each.

    Args:
        runs: Index `run_id`, newest first; columns status, setting, configuration, variant, seed, reason, see
            `StudyRecord.runs`.
        evaluated: By `run_id`, whether a run has results; None if all that finished have.

    Returns:
        The selection; its frame is empty where no run has finished.
    """
    left_out = []
    finished = runs[runs["status"] == "FINISHED"]
    if evaluated is not None:
        without = finished[~evaluated.reindex(finished.index, fill_value=False)]
        left_out += [
            f"{run['variant']}, seed {run['seed']}: finished without results" for _, run in without.iterrows()
        ]
        finished = finished.drop(without.index)
    unfinished = runs[runs["status"] != "FINISHED"]
    for (_, run), reason in zip(unfinished.iterrows(), _reasons(unfinished), strict=True):
        again = finished[(finished["variant"] == run["variant"]) & (finished["seed"] == run["seed"])]
        repeated = " (finished in another run)" if len(again) else ""
        left_out.append(f"{run['variant']}, seed {run['seed']}: {str(run['status']).lower()}{reason}{repeated}")
    if finished.empty:
        return Selection(finished, left_out)
    comparable = finished[finished["setting"] == finished["setting"].iloc[0]]
    others = len(finished) - len(comparable)
    if others:
        left_out.append(f"{others} finished runs on other data, evaluation, scale or code than the newest run's")
    comparable = _repetitions(comparable, left_out)
    kept = comparable.drop_duplicates(["variant", "seed"], keep="first")
    repeated_runs = len(comparable) - len(kept)
    if repeated_runs:
        left_out.append(f"{repeated_runs} older runs of a variant and seed that has a newer one")
    return Selection(kept, left_out)


def _repetitions(runs: pd.DataFrame, left_out: list[str]) -> pd.DataFrame:
    """Keep of every variant the runs of its newest run's configuration: others are no repetitions of it."""
    if "configuration" not in runs:
        return runs
    newest = runs.groupby("variant")["configuration"].transform("first")
    other = runs[runs["configuration"] != newest]
    for variant, of_variant in other.groupby("variant"):
        seeds = ", ".join(map(str, sorted(of_variant["seed"])))
        left_out.append(f"{variant}, seed {seeds}: configured otherwise than the newest run of that name")
    return runs.drop(other.index)


def _reasons(runs: pd.DataFrame) -> list[str]:
    if "reason" not in runs:
        return [""] * len(runs)
    return [f", {reason}" if isinstance(reason, str) else "" for reason in runs["reason"]]


def short_names(variants: Sequence[str]) -> tuple[dict[str, str], str]:
    """Shorten the names of variants by what all of them have in common.

    Args:
        variants: Names as in `depth=reduced,training.epochs=3`: differences from the defaults.

    Returns:
        The short name of each variant, `baseline` where nothing is left; and what they have in common.
    """
    parts = {variant: [] if variant == BASELINE else _parts(variant) for variant in variants}
    common = set.intersection(*(set(own) for own in parts.values())) if len(parts) > 1 else set()
    short = {
        variant: ",".join(part for part in own if part not in common) or BASELINE for variant, own in parts.items()
    }
    return short, ",".join(sorted(common))


def _parts(variant: str) -> list[str]:
    # A value may hold commas of its own, as in a list.
    return re.split(r",(?=[\w./@-]+=)", variant)


def in_order(variants: Sequence[str]) -> list[str]:
    """Order variants: the baseline, then those with one difference, then those with two, each by name."""
    return sorted(set(variants), key=lambda name: (name != BASELINE, len(_parts(name)), name))


def compare(values: pd.DataFrame) -> pd.DataFrame:
    """Summarise every metric of every variant over its seeds, and its difference from the baseline.

    Args:
        values: Columns variant, seed, metric, value: one row for each.

    Returns:
        One row a variant and metric, in the order of `in_order`: columns variant, metric, mean, sd (sample standard
        deviation over seeds, NaN for one), n (seeds), difference (mean over the seeds that the variant shares with
        the baseline of its value minus the baseline's, NaN without any), n_paired (how many those are).
    """
    baseline = values[values["variant"] == BASELINE].set_index(["metric", "seed"])["value"]
    rows = []
    for variant in in_order(values["variant"].tolist()):
        own = values[values["variant"] == variant]
        for metric, of_metric in own.groupby("metric", sort=False):
            by_seed = of_metric.set_index(["metric", "seed"])["value"]
            differences = (by_seed - baseline).dropna()
            rows.append(
                {
                    "variant": variant,
                    "metric": metric,
                    "mean": by_seed.mean(),
                    "sd": by_seed.std(ddof=1),
                    "n": int(by_seed.count()),
                    "difference": differences.mean(),
                    "n_paired": len(differences),
                }
            )
    return pd.DataFrame(rows)
