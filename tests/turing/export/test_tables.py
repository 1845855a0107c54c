"""The exported tables: a row a participant and a row a trial, answered or not, with what counts and why not."""

import pandas as pd

from ablate.turing.analyse.exclusions import apply_rules, rule_words
from ablate.turing.database import Answers
from ablate.turing.export.columns import PARTICIPANTS, TABLES, TRIALS
from ablate.turing.export.tables import participants_table, tables, trials_table
from tests.support.bundles import SHORT


def test_all_is_there_and_says_whether_and_why_it_counts(answers: Answers) -> None:
    people, trials = participants_table(answers), trials_table(answers)
    assert list(people) == [column.name for column in PARTICIPANTS]
    assert list(trials) == [column.name for column in TRIALS]
    assert people["participant"].tolist() == [1, 2, 3, 4, 5]
    assert trials["participant"].tolist() == [person for person in range(1, 6) for _ in range(SHORT.photographs)]
    assert trials["number"].tolist() == [*range(1, SHORT.photographs + 1)] * 5
    assert people["answers"].tolist() == [7, 7, 3, 7, 7]
    assert people["counts"].tolist() == [True, True, False, False, False]
    assert people["exclusion"].fillna("").tolist() == ["", "", "not_finished", "color_vision", "exposure"]
    assert len(set(people["consent"])) == 1
    assert set(people["language"]) == {"en"}
    # The analysis counts the same, and leaves out the same by each rule.
    kept, rules = apply_rules(answers.participants, answers.trials, answers.protocol)
    counted = trials[trials["counts"]]
    assert set(counted["kind"]) == {"test"}
    assert sorted(zip(kept["participant"], kept["number"], strict=True)) == list(
        zip(counted["participant"], counted["number"], strict=True)
    )
    words = rule_words(answers.protocol)
    of_rules = people["exclusion"].dropna().map(words).value_counts().to_dict()
    assert of_rules == {rule: count for rule, count in zip(rules["rule"], rules["participants"], strict=True) if count}


def test_a_choice_says_what_was_taken_for_the_fake(answers: Answers) -> None:
    trials = trials_table(answers).set_index(["participant", "number"])
    assert trials.loc[(1, 1), "choice"] == "left"
    assert trials.loc[(1, 2), "choice"] == "right"
    assert trials.index[trials["choice"] == "missed"].get_level_values("participant").tolist() == [2]
    assert trials["choice"].isna().sum() == SHORT.photographs - 3
    judged = trials["choice"].isin(["left", "right"])
    assert (trials["fooled"].isna() == ~judged).all()
    assert (trials.loc[judged, "fooled"] == (trials.loc[judged, "choice"] == trials.loc[judged, "real_side"])).all()
    unanswered = trials[trials["choice"].isna()]
    assert set(unanswered["exclusion"]) == {"not_finished"}
    assert unanswered[["answered", "exposure_ms", "response_ms"]].isna().all(axis=None)
    assert not unanswered["shown"].any()


def test_an_experiment_that_nobody_began_has_empty_tables_of_the_same_types(answers: Answers) -> None:
    nobody = Answers(
        **{
            **vars(answers),
            "participants": answers.participants.iloc[:0],
            "trials": answers.trials.iloc[:0],
            "unanswered": answers.unanswered.iloc[:0],
        }
    )
    for name, table in tables(nobody).items():
        assert len(table) == 0
        pd.testing.assert_series_equal(table.dtypes, tables(answers)[name].dtypes)
        assert list(table) == [column.name for column in TABLES[name]]
