"""The exported tables, typed as the codebook says. Pure functions."""

import pandas as pd

from ablate.turing.analyse.exclusions import excluded_participants, rules_broken
from ablate.turing.database import Answers
from ablate.turing.export.columns import TABLES
from ablate.turing.export.own_tables import own_tables
from ablate.turing.export.typed import typed


def tables(answers: Answers) -> dict[str, pd.DataFrame]:
    """Return the tables of an experiment by name: see `own_columns.tables_of`."""
    always = {"participants": participants_table(answers), "trials": trials_table(answers)}
    return always | own_tables(answers)


def participants_table(answers: Answers) -> pd.DataFrame:
    """Return a row a participant: see `columns.PARTICIPANTS`."""
    people, trials = answers.participants, answers.trials
    failed = trials[(trials["kind"] == "check") & trials["fooled"]]
    exclusion = excluded_participants(people, trials, answers.protocol)
    found = people.assign(
        algorithm=people["algorithm"].where(people["algorithm"] != ""),
        answers=_count(trials, people),
        failed_checks=_count(failed, people),
        median_response_ms=trials[trials["kind"] == "test"].groupby("participant")["response_ms"].median(),
        counts=exclusion == "",
        exclusion=exclusion.where(exclusion != ""),
    )
    return typed(found.reset_index(), TABLES["participants"])


def trials_table(answers: Answers) -> pd.DataFrame:
    """Return a row a trial, answered or not: see `columns.TRIALS`."""
    frames = [frame for frame in (answers.trials, answers.unanswered) if len(frame)]
    every = pd.concat(frames, ignore_index=True) if frames else answers.trials
    every = every.sort_values(["participant", "number"], ignore_index=True)
    exclusion = rules_broken(answers.participants, every, answers.protocol)
    judged, compared = every["choice"].isin(["left", "right"]), every["other"] != ""
    right_or_wrong = (judged & ~compared) | (every["rating"].notna() & (every["kind"] == "check"))
    preferred = every["algorithm"].where(every["fooled"], every["other"])
    found = every.assign(
        algorithm=every["algorithm"].where(every["algorithm"] != ""),
        other=every["other"].where(compared),
        real_side=every["real_side"].where(every["real_side"] != ""),
        fooled=every["fooled"].astype("boolean").where(right_or_wrong),
        preferred=preferred.where(judged & compared),
        counts=(every["kind"] == "test") & (exclusion == ""),
        exclusion=exclusion.where(exclusion != ""),
    )
    return typed(found, TABLES["trials"])


def _count(trials: pd.DataFrame, people: pd.DataFrame) -> "pd.Series[int]":
    return trials.groupby("participant").size().reindex(people.index, fill_value=0)
