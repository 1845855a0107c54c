"""Selection of runs, checks that they are comparable, and what a refusal says."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate.errors import NotComparable
from ablate.execution.code_version import Code
from ablate.report.comparability import check_names, comparable
from ablate.report.selection import SETTING, Gap, Selection, newest_finished
from tests.support.run_frames import FOUR, all_evaluated, finished, frame


def test_runs_that_agree_stand_in_one_table() -> None:
    selection = finished(*FOUR, **{column: ["same"] * 4 for column in SETTING}, configuration=["x", "x", "y", "y"])
    assert vars(comparable(selection, "study", partial=False)) == {**vars(selection), "gaps": []}


@pytest.mark.parametrize("column", SETTING)
def test_runs_that_disagree_are_refused_and_the_message_says_in_what(column: str) -> None:
    selection = finished(*FOUR, **{column: ["new", "new", "old", "new"]})
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "colours", partial=False)
    message = str(refused.value)
    assert "study colours" in message
    assert f"  {SETTING[column]}:\n" in message
    assert "    new: baseline seed 0; baseline seed 1; a=1 seed 1\n" in message
    assert "    old: a=1 seed 0\n" in message
    for remedy in ("Start the study again", "study.name=NAME", "partial=true"):
        assert remedy in message
    assert [what for name, what in SETTING.items() if name != column and f"  {what}:" in message] == []


def test_of_long_settings_the_message_names_what_differs() -> None:
    same = "batches of [8, 16], classes 10, folds 5, split by writers of the digits"
    selection = finished(*FOUR, evaluation=[f"{same}, threshold 0.5"] * 3 + [f"{same}, threshold 0.7, trimmed True"])
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "study", partial=False)
    assert "    threshold 0.5: baseline seed 0; baseline seed 1; a=1 seed 0\n" in str(refused.value)
    assert "    threshold 0.7, trimmed True: a=1 seed 1\n" in str(refused.value)


@pytest.mark.parametrize("column", SETTING)
def test_partial_keeps_what_agrees_with_the_newest_run(column: str) -> None:
    selection = finished(*FOUR, **{column: ["new", "old", "new", "older"]})
    kept = comparable(selection, "study", partial=True)
    assert list(kept.runs.index) == ["run0", "run2"]
    why = f"another {SETTING[column]} than the newest run's"
    assert kept.gaps == [Gap("baseline", 1, why), Gap("a=1", 1, why)]


def test_several_disagreements_are_named_together_and_their_hash_is_not() -> None:
    selection = finished(*FOUR, scale=["b", "b", "a", "b"], code=["2", "1", "2", "2"], setting=["w", "x", "y", "w"])
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "study", partial=False)
    assert re.findall(r"^  (\w.*):$", str(refused.value), re.MULTILINE) == ["scale", "code that computes results"]
    kept = comparable(selection, "study", partial=True)
    assert list(kept.runs.index) == ["run0", "run3"]
    assert [gap.reason.split()[1] for gap in kept.gaps] == ["scale", "code"]


def test_seeds_of_a_variant_that_are_configured_otherwise_are_no_repetitions() -> None:
    selection = finished(*FOUR, configuration=["x", "x", "z", "y"])
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "study", partial=False)
    message = str(refused.value)
    assert "  configuration of a=1:\n    z: a=1 seed 0\n    y: a=1 seed 1\n" in message
    assert "configuration of baseline" not in message
    kept = comparable(selection, "study", partial=True)
    assert list(kept.runs.index) == ["run0", "run1", "run2"]
    assert kept.gaps == [Gap("a=1", 1, "another configuration of a=1 than the newest run's")]


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        (np.array([None, np.nan, None, None], dtype=object), False),
        ([np.nan] * 4, False),
        ([1, "1", 1, 1], False),
        ([None, "a", "a", "a"], True),
        ([np.nan, 1.0, 1.0, 1.0], True),
    ],
)
@pytest.mark.parametrize("partial", [False, True])
def test_what_was_not_recorded_is_a_value_of_its_own(values: list[Any], refused: bool, partial: bool) -> None:
    selection = finished(*FOUR, scale=values)
    if refused and not partial:
        with pytest.raises(NotComparable, match="not recorded: baseline seed 0\n"):
            comparable(selection, "study", partial=False)
    else:
        assert len(comparable(selection, "study", partial=partial).runs) == (1 if refused else 4)


def test_an_unfinished_study_is_refused_and_the_message_says_what_is_missing() -> None:
    gaps = [Gap("a=1", 0, "failed, diverged"), Gap("a=1", 1, "to do")]
    selection = Selection(finished(*FOUR[:2]).runs, gaps, superseded=3)
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "colours", partial=False)
    message = str(refused.value)
    assert "study colours is not finished: 2 of 4 runs have no result:" in message
    assert "  a=1, seed 0: failed, diverged\n  a=1, seed 1: to do\n" in message
    for remedy in ("rerun=failed", "partial=true"):
        assert remedy in message
    assert vars(comparable(selection, "colours", partial=True)) == vars(selection)


def test_long_lists_are_cut() -> None:
    cells = [("baseline", 0)] + [(f"a={place}", 0) for place in range(20)]
    with pytest.raises(NotComparable, match="a=11 seed 0; and 8 more"):
        comparable(finished(*cells, scale=["new", *["old"] * 20]), "study", partial=False)
    gaps = [Gap(variant, seed, "to do") for variant, seed in cells]
    with pytest.raises(NotComparable, match="  and 9 more\n"):
        comparable(Selection(finished(("b=1", 0)).runs, gaps), "study", partial=False)


def test_where_the_code_differs_the_modules_and_libraries_that_do_are_named() -> None:
    codes = {
        "run0": Code({"lab.task": "1", "lab.nets": "2"}, {"keras": "3.15.1"}, "new"),
        "run2": Code({"lab.task": "1", "lab.nets": "0", "lab.old": "5"}, {"keras": "3.14.0"}, "old"),
    }
    selection = finished(*FOUR, code=["new", "new", "old", "old"])
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "mine", partial=False, code=codes.get)
    assert "the code differs in lab.nets; lab.old; keras 3.15.1 and 3.14.0" in str(refused.value)
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "mine", partial=False)
    assert "the code differs" not in str(refused.value)


TWICE = [("FINISHED", "x", 0), ("FINISHED", "x", 0), ("FINISHED", "baseline", 0), ("FINISHED", "x", 0)]


def test_another_configuration_under_one_name_and_seed_is_no_rerun() -> None:
    runs = frame(*TWICE, configuration=["new", "old", "b", "old"], setting=["s"] * 4)
    runs = runs.assign(no_result_keys="data.root data.memory_gib")
    selection = newest_finished(runs, all_evaluated(runs))
    assert list(selection.runs.index) == ["run0", "run1", "run2"]
    assert (selection.superseded, selection.others) == (1, {})
    params = pd.DataFrame(
        {
            "depth.name": ["full", "shallow", "full", "shallow"],
            "seed": ["0", "1", "2", "3"],
            "data.root": list("abcd"),
        },
        index=runs.index,
    ).assign(**{"optimizer.amsgrad": ["True", None, None, None]})
    with pytest.raises(NotComparable) as refused:
        comparable(selection, "study", partial=False, params=params)
    message = str(refused.value)
    assert "  configuration of x:\n    depth.name=full, optimizer.amsgrad=True: x seed 0\n" in message
    assert "    depth.name=shallow, optimizer.amsgrad=absent: x seed 0\n" in message
    assert "data.root" not in message
    for remedy in ("study.variant=NAME", "study.name=NAME", "delete its runs in MLflow", "partial=true"):
        assert remedy in message
    kept = comparable(selection, "study", partial=True, params=params)
    assert list(kept.runs.index) == ["run0", "run2"]
    assert (kept.gaps, kept.superseded, kept.others) == ([], 1, {"configuration": 1})
    with pytest.raises(NotComparable, match="configuration of x"):
        check_names(selection, "study")
    check_names(kept, "study")


def test_an_older_run_in_another_setting_is_left_out_and_said() -> None:
    older = {"scale": ["smoke", "laptop", "smoke", "laptop"], "code": ["2", "2", "2", "1"]}
    runs = frame(*TWICE, configuration=["a", "b", "c", "d"], **older)
    selection = newest_finished(runs, all_evaluated(runs))
    assert list(selection.runs.index) == ["run0", "run2"]
    assert (selection.superseded, selection.others) == (0, {"scale": 2})
    assert comparable(selection, "study", partial=False).others == {"scale": 2}


def test_a_run_whose_configuration_was_not_recorded_is_no_rerun() -> None:
    runs = frame(*TWICE[:2], configuration=["a", None])
    assert len(newest_finished(runs, all_evaluated(runs)).runs) == 2


def test_long_names_are_shortened_in_messages() -> None:
    assert len(str(Gap("x=" + "[1, 2], " * 100, 3, "running"))) < 140
