"""The analysis of an experiment: rates, differences, exclusions and the pictures to show. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.number_format import magnitude, probability, quantity, with_interval
from ablate.statistics.intervals import ALPHA
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.analyse.rates import CHANCE, compare_rates, fooling_rates

if TYPE_CHECKING:
    from ablate.turing.database import Answers

MOST, LEAST = "most convincing", "least convincing"
SHOWN = 6
"""Pictures of each algorithm and place."""
SEEN = 3
"""Trials of a picture before it is shown, where enough pictures have as many."""
_PERCENT = 100


@dataclass(frozen=True)
class Analysis:
    """The analysis of an experiment.

    Attributes:
        rates: A row an algorithm that was judged, in the bundle's order: `rates.RATES` and median_response_ms.
        pairs: `rates.PAIRS`.
        exclusions: `exclusions.COLUMNS`.
        photographs: A row an algorithm and a picture: columns algorithm, photograph, real, recolored (files), trials,
            fooled, rate (percent).
        pictures: Those to show: columns algorithm, photograph, place (`MOST`, `LEAST`), rank (from 1), trials, rate,
            real, recolored (PNG files).
        summary: Plain values: what was analysed, counts, and sentences, `answer`.
        runs: By algorithm, the run that coloured its pictures, where one did.
    """

    rates: pd.DataFrame
    pairs: pd.DataFrame
    exclusions: pd.DataFrame
    photographs: pd.DataFrame
    pictures: pd.DataFrame
    summary: Mapping[str, Any]
    runs: Mapping[str, str]


def analyse(answers: Answers, picture: Callable[[str], bytes] | None, lost: Collection[str] = ()) -> Analysis:
    """Analyse the answers of an experiment.

    Args:
        answers: The experiment's.
        picture: Reads a file of its bundle; None where that is not at hand, and no pictures are shown.
        lost: Files that it cannot read: their pictures are not shown, and their answers count all the same.
    """
    names = [algorithm.name for algorithm in answers.algorithms]
    kept, exclusions = apply_rules(answers.participants, answers.trials, answers.protocol)
    ordered = kept.sort_values("algorithm", key=lambda column: column.map(names.index), kind="stable")
    medians = ordered.groupby("algorithm")["response_ms"].median()
    rates = fooling_rates(ordered)
    rates = rates.assign(median_response_ms=rates["algorithm"].map(medians).astype("float64"))
    pairs = compare_rates(ordered)
    photographs = by_photograph(ordered)
    readable = ~photographs[["real", "recolored"]].isin(list(lost)).any(axis=1)
    chosen = most_and_least_convincing(photographs[readable])
    pictures = (
        chosen.assign(**{file: chosen[file].map(picture) for file in ("real", "recolored")}) if picture else None
    )
    finished = answers.participants["finished"].notna()
    summary = {
        "experiment": answers.experiment,
        "study": answers.study,
        "checksum": answers.checksum,
        "closed": answers.closed,
        "protocol": answers.protocol.model_dump(mode="json"),
        "algorithms": [algorithm.model_dump(mode="json") for algorithm in answers.algorithms],
        "participants": {
            "started": len(finished),
            "finished": int(finished.sum()),
            "kept": int(kept["participant"].nunique()),
            "withdrawn": len(answers.withdrawals),
        },
        "trials": {"kept": len(kept)},
        "turned_away": dict(answers.turned_away),
        "answer": answer_sentences(names, rates, pairs),
    }
    return Analysis(
        rates=rates,
        pairs=pairs,
        exclusions=exclusions,
        photographs=photographs,
        pictures=chosen.iloc[:0] if pictures is None else pictures,
        summary=summary,
        runs={each.name: each.run_id for each in answers.algorithms if each.run_id},
    )


def by_photograph(trials: pd.DataFrame) -> pd.DataFrame:
    """Return how often each picture of each algorithm fooled: see `Analysis.photographs`."""
    keys = ["algorithm", "photograph", "real", "recolored"]
    counted = trials.groupby(keys, sort=False)["fooled"].agg(trials="size", fooled="sum").reset_index()
    order = {name: place for place, name in enumerate(trials["algorithm"].unique())}
    counted = counted.sort_values(
        keys[:3], key=lambda column: column.map(order) if column.name == "algorithm" else column, ignore_index=True
    )
    return counted.assign(rate=_PERCENT * counted["fooled"] / counted["trials"])


def most_and_least_convincing(photographs: pd.DataFrame) -> pd.DataFrame:
    """Choose the pictures that fooled most and least often, of each algorithm `SHOWN` each, none in both places.

    Those that were judged fewer than `SEEN` times are left out where enough remain. Of two with the same rate the one
    that more people judged comes first, then by name.

    Args:
        photographs: See `Analysis.photographs`.

    Returns:
        Columns algorithm, photograph, place, rank, trials, rate, real, recolored (files).
    """
    columns = ["algorithm", "photograph", "place", "rank", "trials", "rate", "real", "recolored"]
    frames = [photographs.assign(place="", rank=0).iloc[:0]]
    for _, own in photographs.groupby("algorithm", sort=False):
        often = own[own["trials"] >= SEEN]
        shown = often if len(often) >= 2 * SHOWN else own
        for place, rising in ((MOST, False), (LEAST, True)):
            count = min(SHOWN, (len(shown) + 1) // 2 if place == MOST else len(shown))
            ranked = shown.sort_values(["rate", "trials", "photograph", "real"], ascending=[rising, False, True, True])
            chosen = ranked.head(count).assign(place=place, rank=range(1, count + 1))
            frames.append(chosen)
            shown = shown.drop(chosen.index)
    return pd.concat(frames, ignore_index=True)[columns]


def answer_sentences(algorithms: Sequence[str], rates: pd.DataFrame, pairs: pd.DataFrame) -> list[str]:
    """Return sentences on what rates and pairs show.

    Args:
        algorithms: All that the experiment has.
        rates: See `Analysis`.
        pairs: See `Analysis`.
    """
    judged = rates["algorithm"].tolist()
    nobody = [name for name in algorithms if name not in judged]
    sentences = [f"No answer counts yet of {'; '.join(nobody)}."] if nobody else []
    if rates.empty:
        return sentences
    listed = "; ".join(
        f"{row['algorithm']} {with_interval(row['rate'], row['low'], row['high'], plus=False)} %"
        for row in rates.sort_values("rate", ascending=False, kind="stable").to_dict("records")
    )
    sentences.append(f"Recoloured pictures were taken for the real ones in so many of the trials: {listed}.")
    alone = rates.loc[rates["participants"] == 1, "algorithm"]
    if len(alone):
        sentences.append(f"Judged by one participant, so that nothing is known of other people: {'; '.join(alone)}.")
    known = rates[rates["p_corrected"].notna()]
    found = known["p_corrected"] < ALPHA
    for direction, rows in (
        ("Below", known[found & (known["rate"] < CHANCE)]),
        ("Above", known[found & (known["rate"] > CHANCE)]),
        ("No difference found from", known[~found]),
    ):
        if len(rows):
            named = "; ".join(f"{row['algorithm']} (p {_p(row['p_corrected'])})" for row in rows.to_dict("records"))
            sentences.append(f"{direction} the {CHANCE:.0f} % of chance: {named}.")
    return sentences + _sentences_on_pairs(pairs[pairs["p_corrected"].notna()])


def _sentences_on_pairs(pairs: pd.DataFrame) -> list[str]:
    sentences = []
    found = pairs["p_corrected"] < ALPHA
    for row in pairs[found].sort_values("p", kind="stable").to_dict("records"):
        more = row["difference"] > 0
        first, second = (row["algorithm"], row["other"]) if more else (row["other"], row["algorithm"])
        ends = (row["low"], row["high"]) if more else (-row["high"], -row["low"])
        size = with_interval(abs(row["difference"]), *ends, plus=False)
        sentences.append(f"{first} fools more often than {second}: by {size} points, p {_p(row['p_corrected'])}.")
    unclear = pairs[~found]
    if len(unclear):
        sentences.append(
            f"Of {quantity(len(unclear), 'pair')} no difference was found. "
            + _minimum_detectable(unclear["minimum_detectable_effect"])
        )
    return sentences


def _minimum_detectable(points: pd.Series[float]) -> str:
    known = points[np.isfinite(points)]
    if known.empty:
        return "The experiment is too small to find any."
    effect = " to ".join(dict.fromkeys(magnitude(value) for value in (known.min(), known.max())))
    too_few = f"; of {len(points) - len(known)} of them more than there can be" if len(known) < len(points) else ""
    return f"The minimum detectable effect is {effect} points{too_few}."


def _p(value: float) -> str:
    text = probability(value)
    return text if text.startswith("<") else f"= {text}"
