"""The command on stores that are filled by hand."""

import os
import re
from pathlib import Path

import mlflow
import pytest

from ablate.cli.command_line import configured_uri, split_config_options
from ablate.errors import ConfigError, TrackingError
from ablate.report.__main__ import _opened
from ablate.tracking.store import open_store
from tests.support.commands import Command
from tests.support.stores import IMPORTED, ODD, PHOTOGRAPHS, add_failed, add_run, record_hand_made

FILES = {
    "report.html", "report.md", "report.tex", "checklist.md", "comparison.csv", "comparison.parquet", "runs.csv",
    "scores.parquet", "summary.json",
}  # fmt: skip


@pytest.mark.slow
def test_the_command_answers_the_question_and_is_logged_under_its_study_once(
    hand_made: Path, forked_m: Command
) -> None:
    for _ in range(2):
        finished = forked_m("ablate.report", "study=hand", "out=there")
        assert finished.stderr == ""
        assert finished.returncode == 0
    lines = finished.stdout.splitlines()
    assert lines[0] == "6 runs of study hand compared"
    assert re.fullmatch(
        r"Against the baseline, loss=<i>odd</i> helps \(AuC [45]\.\d+ points higher, very likely between .+\)\.",
        lines[1],
    )
    assert re.fullmatch(
        r"1 is better than the baseline: loss=<i>odd</i> \(\+[45]\.\d+ \[\+.*, \+.*\] points\)\.", lines[2]
    )
    assert lines[3:] == ["The baseline is loss=even.", "Report: there/report.html"]

    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("hand")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], "tags.`ablate.report` = 'true'")
    assert {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "report")} == {*FILES, "figures"}
    assert (run.info.run_name, run.info.status) == ("report", "FINISHED")


@pytest.mark.slow
def test_the_newest_study_is_the_default_and_experiments_of_others_are_none(
    hand_made: Path, forked_m: Command
) -> None:
    add_run(hand_made, "baseline", 0, study="newer")
    add_run(hand_made, ODD, 0, gain=3.0, study="newer")
    client = mlflow.MlflowClient()
    client.create_run(client.create_experiment("somebody-else"))
    finished = forked_m("ablate.report", "out=there")
    assert finished.stdout.startswith("2 runs of study newer compared")
    markdown = (hand_made / "there" / "report.md").read_text()
    assert "One seed for each variant: intervals are over photographs only" in markdown
    assert re.search(r"\| \+\d.*\] \(over photographs only: one seed\) \|", markdown)


@pytest.mark.slow
def test_an_unfinished_study_is_refused_and_shown_with_gaps_on_demand(hand_made: Path, forked_m: Command) -> None:
    record_hand_made(hand_made, factors={"loss": ["even", "<i>odd</i>", "new"]})
    add_failed(hand_made, "loss=new", 1)
    refused = forked_m("ablate.report", "study=hand", "out=there")
    assert refused.returncode == 1
    assert "Error: study hand is not finished: 3 of 9 runs have no result:" in refused.stderr
    assert "  loss=new, seed 1: failed, OSError\n  loss=new, seed 0: to do" in refused.stderr
    assert "partial=true" in refused.stderr
    assert not (hand_made / "there").exists()
    finished = forked_m("ablate.report", "study=hand", "out=there", "partial=true")
    assert "Missing: loss=new, seed 1: failed, OSError" in finished.stdout
    markdown = (hand_made / "there" / "report.md").read_text()
    assert "| loss=new | 0 of 3 | - |" in markdown
    assert "This report is partial: 3 runs missing" in markdown
    assert "| baseline | 3 of 3 |" in markdown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"data.fingerprint": "e" * 64, "setting": "t"}, "contents of the data"),
        ({"evaluation": "side 16", "setting": "t"}, "way of evaluating"),
        ({"code": "0ther", "setting": "t"}, "code that computes results"),
        ({"scale": "paper", "setting": "t"}, "scale"),
        ({"setting": "t"}, "setting"),
        ({"configuration": "x"}, "configuration of loss=<i>odd</i>"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tags: dict[str, str], what: str, hand_made: Path, forked_m: Command
) -> None:
    add_run(hand_made, ODD, 2, gain=5.0, tags=tags)
    refused = forked_m("ablate.report", "study=hand", "out=there")
    assert refused.returncode == 1
    assert "the runs of study hand cannot stand in one table: they differ in the" in refused.stderr
    assert f"  {what}:\n" in refused.stderr
    assert "loss=<i>odd</i> seed 2" in refused.stderr
    assert "study.name=NAME" in refused.stderr


@pytest.mark.slow
def test_other_evaluation_photographs_are_refused(hand_made: Path, forked_m: Command) -> None:
    add_run(hand_made, ODD, 2, gain=5.0, photographs=(*PHOTOGRAPHS[:-1], "another"))
    assert "  evaluated examples:\n" in forked_m("ablate.report", "study=hand", "out=there").stderr


@pytest.mark.slow
def test_training_losses_do_not_rank(hand_made: Path, forked_m: Command) -> None:
    refused = forked_m("ablate.report", "study=hand", "out=there", "metric=val/loss")
    assert refused.returncode == 1
    assert "val/loss does not rank variants" in refused.stderr
    assert "metric= takes one of auc, rmse" in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study=none"], "has no study none. Its studies: hand"),
        (["stud=hand"], "Allowed: columns, from, metric, out, partial, rows, study, track, uri. Did you mean study?"),
        (["study"], "study needs a value, as in study=VALUE"),
        (["partial=yes"], "partial must be true or false. Received: partial=yes"),
        (
            ["study=hand", "metric=au"],
            "unknown level: metric=au. Allowed: metric=auc, metric=rmse. Did you mean metric=auc?",
        ),
        (["study=hand", "metric=color"], "metric=color has no better direction; it must be one of auc, rmse"),
        (["study=hand", "columns=auc,au"], "unknown level: columns=au. Allowed: columns=COST.difference, "),
        (
            ["study=hand", "rows=even"],
            "unknown level: rows=even. Allowed: rows=baseline, rows=grey, rows=loss=<i>odd</i>",
        ),
        (["uri=sqlite:///missing.db"], "missing.db does not exist. `python -m ablate.run` makes one"),
        (["uri=sqlite:///text.db"], "text.db"),
        (["study=hand", "out=text.db"], "the report cannot be written to text.db: "),
    ],
)
def test_a_mistake_ends_in_one_clear_line(
    arguments: list[str], message: str, hand_made: Path, forked_m: Command
) -> None:
    (hand_made / "text.db").write_text("this is no database\n" * 100)
    finished = forked_m("ablate.report", *arguments)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert message in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
    assert not (hand_made / "missing.db").exists()


@pytest.mark.slow
def test_an_empty_store_has_nothing_to_report(home: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.report")
    assert finished.returncode == 1
    assert "there are no runs yet" in finished.stderr


@pytest.mark.slow
def test_a_study_without_finished_runs_says_why(home: Path, forked_m: Command) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    add_failed(home, "depth=shallow", 0)
    finished = forked_m("ablate.report", "study=hand")
    assert finished.stderr == (
        "Error: study hand has no finished run yet: depth=shallow, seed 0: failed, OSError. See docs/runs.md#stores\n"
    )


@pytest.mark.slow
def test_tensorflow_is_not_loaded(made: Path) -> None:
    imported = {line.rpartition("|")[2].strip() for line in (made.parent / IMPORTED).read_text().splitlines()}
    assert "ablate.report.render" in imported
    assert not {"tensorflow", "keras"} & imported


@pytest.mark.slow
def test_help_teaches(forked_m: Command) -> None:
    assert "python -m ablate.report study=NAME" in forked_m("ablate.report", "--help").stdout


def test_the_store_may_be_named_by_the_project(hand_made: Path) -> None:
    (hand_made / "other.db").write_bytes((hand_made / "mlflow.db").read_bytes())
    (hand_made / "conf").mkdir()
    (hand_made / "conf" / "config.yaml").write_text(
        "defaults: [base, _self_]\ntask: {_target_: tiny.Tiny}\ntracking: {uri: sqlite:///other.db}\n"
    )
    (hand_made / "mlflow.db").unlink()
    with pytest.raises(TrackingError, match="there are no runs yet"), _opened({}, []):
        pass
    options, given = split_config_options(["study=hand", "--config-dir", "conf"])
    assert given == ["study=hand"]
    with _opened({}, options) as (name, _):
        assert name == "hand"
    (hand_made / "pyproject.toml").write_text("[tool.ablate]\n")
    with _opened({"study": "hand"}, []) as (name, _):
        assert name == "hand"
    assert configured_uri("sqlite:///given.db", options) == "sqlite:///given.db"
    with pytest.raises(ConfigError, match=r"--multirun is an option .* alone. Allowed: --help, --config-name"):
        split_config_options(["-m"])
