"""The analysis of an experiment: rates, differences, exclusions and the pictures to show. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.report.number_format import with_interval
from ablate.statistics.intervals import ALPHA
from ablate.turing.analyse.difference_sentences import difference_sentences, p_text
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.analyse.photograph_warning import photograph_warning
from ablate.turing.analyse.power import variance_components
from ablate.turing.analyse.preference import compare_algorithms, rank_algorithms
from ablate.turing.analyse.preference_sentences import preference_sentences
from ablate.turing.analyse.rates import CHANCE, compare_rates, fooling_rates
from ablate.turing.analyse.rating_tables import rated_by_photograph, rating_sentences
from ablate.turing.analyse.ratings import compare_ratings, mean_ratings
from ablate.turing.analyse.sensitivity import sensitivity
from ablate.turing.analyse.within import compare_within
from ablate.turing.protocol import REAL, Protocol

if TYPE_CHECKING:
    from ablate.turing.database import Answers

MOST, LEAST = "most convincing", "least convincing"
SHOWN = 6
"""Pictures of each algorithm and place."""
SEEN = 3
"""Trials of a picture before it is shown, where enough pictures have as many."""
_PERCENT = 100
_PICTURES = ("algorithm", "photograph", "place", "rank", "trials", "rate", "real", "recolored")


@dataclass(frozen=True)
class Analysis:
    """The analysis of an experiment.

    Attributes:
        rates: A row an algorithm that was judged, in the bundle's order: `rates.RATES`, median_response_ms and
            `sensitivity.SENSITIVITY`; in a preference design `preference.RANKING` and median_response_ms, in a rating
            design `ratings.RATINGS` and median_response_ms.
        pairs: `rates.PAIRS`, in a rating design in points of the scale; in a preference design
            `preference.PREFERENCES`.
        exclusions: `exclusions.COLUMNS`.
        photographs: A row an algorithm and a picture: columns algorithm, photograph, real, recolored (files), trials,
            fooled, rate (percent); see `preferred_by_photograph` and `rated_by_photograph` for the other designs.
        pictures: Those to show: columns algorithm, photograph, place (`MOST`, `LEAST`), rank (from 1), trials, rate,
            real, recolored (PNG files); none in a preference or rating design.
        summary: Plain values: what was analysed, counts, and sentences, `answer` and `warnings`.
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
    protocol = answers.protocol
    names = [algorithm.name for algorithm in answers.algorithms] + ([REAL] if protocol.with_real else [])
    kept, exclusions = apply_rules(answers.participants, answers.trials, answers.protocol)
    if protocol.has_fakes:
        tables = _fooling_tables(kept, names, protocol, lost)
    elif protocol.is_rating:
        tables = _rating_tables(kept, names, protocol.points)
    else:
        tables = _preference_tables(kept, names)
    chosen = tables.pictures
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
        "answer": tables.answer,
        "warnings": _warnings(kept, protocol, len(names)),
    }
    return Analysis(
        rates=tables.rates,
        pairs=tables.pairs,
        exclusions=exclusions,
        photographs=tables.photographs,
        pictures=chosen.iloc[:0] if pictures is None else pictures,
        summary=summary,
        runs={each.name: each.run_id for each in answers.algorithms if each.run_id},
    )


@dataclass(frozen=True)
class _Tables:
    """What an analysis finds, see `Analysis`, with the files of pictures, and its answer in sentences."""

    rates: pd.DataFrame
    pairs: pd.DataFrame
    photographs: pd.DataFrame
    pictures: pd.DataFrame
    answer: list[str]


def _fooling_tables(kept: pd.DataFrame, names: Sequence[str], protocol: Protocol, lost: Collection[str]) -> _Tables:
    """Analyse a design against the real picture."""
    ordered = kept.sort_values("algorithm", key=lambda column: column.map(names.index), kind="stable")
    medians = ordered.groupby("algorithm")["response_ms"].median()
    rates = fooling_rates(ordered)
    rates = rates.assign(median_response_ms=rates["algorithm"].map(medians).astype("float64"))
    rates = rates.merge(sensitivity(ordered), on="algorithm", how="left")
    pairs = compare_within(ordered) if protocol.design == "within" else compare_rates(ordered)
    answer = answer_sentences(names, rates, pairs) + _sentences_on_sides(rates)
    photographs = by_photograph(ordered)
    readable = ~photographs[["real", "recolored"]].isin(list(lost)).any(axis=1)
    return _Tables(rates, pairs, photographs, most_and_least_convincing(photographs[readable]), answer)


def _preference_tables(kept: pd.DataFrame, names: Sequence[str]) -> _Tables:
    """Analyse a preference design."""
    ranking, pairs = rank_algorithms(kept, names), compare_algorithms(kept, names)
    medians = _each_picture(kept).groupby("algorithm")["response_ms"].median()
    ranking = ranking.assign(median_response_ms=ranking["algorithm"].map(medians).astype("float64"))
    answer = preference_sentences(names, ranking, pairs)
    return _Tables(ranking, pairs, preferred_by_photograph(kept), pd.DataFrame(columns=list(_PICTURES)), answer)


def _rating_tables(kept: pd.DataFrame, names: Sequence[str], points: int) -> _Tables:
    """Analyse a rating design."""
    rated, pairs = mean_ratings(kept, points, names), compare_ratings(kept, points, names)
    medians = kept.groupby("algorithm")["response_ms"].median()
    rated = rated.assign(median_response_ms=rated["algorithm"].map(medians).astype("float64"))
    answer = rating_sentences(names, rated, pairs, points)
    return _Tables(rated, pairs, rated_by_photograph(kept), pd.DataFrame(columns=list(_PICTURES)), answer)


def _warnings(kept: pd.DataFrame, protocol: Protocol, algorithms: int) -> list[str]:
    if kept.empty:
        return []
    said = photograph_warning(
        kept["photograph"].nunique(),
        variance_components(kept, protocol.design, protocol.points),
        design=protocol.design,
        points=protocol.points,
        algorithms=algorithms,
        source="as far as the answers tell",
    )
    return [f"{said}."] if said else []


def _each_picture(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials of a preference design with a row for each of their two pictures."""
    columns = ["algorithm", "photograph", "picture", "preferred", "response_ms"]
    one = trials.assign(picture=trials["recolored"], preferred=trials["fooled"])
    other = trials.assign(algorithm=trials["other"], picture=trials["real"], preferred=~trials["fooled"].astype(bool))
    return pd.concat([one[columns], other[columns]], ignore_index=True)


def preferred_by_photograph(trials: pd.DataFrame) -> pd.DataFrame:
    """Return how often each picture of each algorithm was preferred.

    Args:
        trials: Of a preference design, that count.

    Returns:
        Columns algorithm, photograph, picture (file), trials, preferred, rate (percent).
    """
    keys = ["algorithm", "photograph", "picture"]
    counted = _each_picture(trials).groupby(keys)["preferred"].agg(trials="size", preferred="sum").reset_index()
    return counted.assign(rate=_PERCENT * counted["preferred"] / counted["trials"])


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
    return pd.concat(frames, ignore_index=True)[list(_PICTURES)]


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
            named = "; ".join(
                f"{row['algorithm']} (p {p_text(row['p_corrected'])})" for row in rows.to_dict("records")
            )
            sentences.append(f"{direction} the {CHANCE:.0f} % of chance: {named}.")
    return sentences + difference_sentences(pairs, "fools more often than")


def _sentences_on_sides(rates: pd.DataFrame) -> list[str]:
    biased = rates[(rates["left_low"] > CHANCE) | (rates["left_high"] < CHANCE)]
    if biased.empty:
        return []
    listed = "; ".join(
        f"{row['algorithm']} {with_interval(row['left'], row['left_low'], row['left_high'], plus=False)} %"
        for row in biased.to_dict("records")
    )
    return [
        f"One side was chosen more often, the left one in so many of the trials: {listed}. That draws fooling rates "
        "towards 50 %; d' does not depend on it."
    ]
