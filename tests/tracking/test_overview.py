"""The overview of a study in MLflow: descriptions, factors, views, types, in a real store."""

import json
import os
import shlex
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from ablate.system.phase_clock import Phase, PhaseClock
from ablate.task import Evaluation, Metric
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.overview import describe_run, record_summary, update_study
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study import LIMIT, record_study
from ablate.tracking.study_artifacts import log_study_artifacts
from ablate.tracking.study_record import read_study
from tests.support.clocks import Hand
from tests.support.tracked_runs import TABLE

AUC = Metric("auc", "AuC", "%", True)
NOTE = "mlflow.note.content"
STUDY = {
    "question": "Does depth | matter?",
    "baseline": {"depth": "full"},
    "factors": {"depth": ["full", "shallow"]},
    "design": "one_at_a_time",
    "seeds": [0],
    "metric": {"name": "auc", "direction": "maximize"},
}


@pytest.fixture(autouse=True)
def uri(home: Path) -> str:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    open_store(uri)
    return uri


def add(home: Path, variant: str, auc: float, study: str = "own", **factors: str) -> str:
    tags = {"variant": variant, "seed": "0", "identity": variant, "data.fingerprint": "f", "setting": "s"}
    tags = {f"ablate.{name}": value for name, value in tags.items()}
    with track(study=study, name="run", tags=tags, project=home, factors=factors) as run:
        run.log_config({"seed": 0, "optimizer": {"learning_rate": 0.1}})
        run.log_evaluation(Evaluation({"auc": auc}, {}, TABLE), [AUC])
        run.flush()
        describe_run(run.run_id, [AUC])
    return run.run_id


@pytest.mark.slow
def test_a_run_says_where_its_time_went(home: Path) -> None:
    now = Hand()
    clock = PhaseClock(Phase.TRAINING, age=54, now=now)
    tags = {f"ablate.{name}": value for name, value in (("variant", "baseline"), ("seed", "0"), ("identity", "i"))}
    with track(study="own", name="run", tags=tags, project=home, clock=clock) as run:
        clock.enter(Phase.EVALUATION)
        now.seconds = 6
        run.log_spent()
        run.flush()
        describe_run(run.run_id, [AUC])
    assert "One attempt. Took 01:00: training 90 %, evaluation 10 %." in get(run.run_id).data.tags[NOTE]
    old = add(home, "depth=shallow", 2.0)
    assert "One attempt.\n" in f"{get(old).data.tags[NOTE]}\n"


def get(run_id: str) -> Run:
    return mlflow.MlflowClient().get_run(run_id)


def factors(run_id: str) -> dict[str, str]:
    return {key: value for key, value in get(run_id).data.params.items() if key.startswith("factor/")}


def study_tags(study: str = "own") -> dict[str, str]:
    return dict(mlflow.MlflowClient().get_experiment_by_name(study).tags)


@pytest.mark.slow
def test_a_run_is_described_beside_the_baseline_of_its_seed(home: Path) -> None:
    early = add(home, "depth=shallow", 2.0, depth="shallow")
    assert "baseline" not in get(early).data.tags[NOTE].split("seed 0")[1]
    baseline = add(home, "baseline", 1.5, depth="full")
    assert get(baseline).data.tags[NOTE].startswith("The baseline, seed 0.")
    late = add(home, "depth=reduced", 3.0, depth="reduced")
    assert "| AuC, % ↑ | 3 | 1.5 | +1.5 |" in get(late).data.tags[NOTE]
    update_study("own")
    assert "**depth=shallow** (baseline: full)" in get(early).data.tags[NOTE]
    assert "| AuC, % ↑ | 2 | 1.5 | +0.5 |" in get(early).data.tags[NOTE]
    assert "| depth | shallow, full, reduced |" in study_tags()[NOTE]


@pytest.mark.slow
def test_what_all_variants_of_an_ad_hoc_sweep_share_is_the_baseline_s(home: Path) -> None:
    baseline, other = add(home, "training.epochs=3", 1.5), add(home, "depth=shallow,training.epochs=3", 2.0)
    update_study("own")
    assert get(baseline).data.tags[NOTE].startswith("The baseline, seed 0.")
    assert get(other).data.tags[NOTE].startswith("Differs from the baseline in **depth=shallow**; seed 0.")
    assert "| AuC, % ↑ | 2 | 1.5 | +0.5 |" in get(other).data.tags[NOTE]


@pytest.mark.slow
def test_a_long_command_is_on_short_lines_that_a_shell_reads_as_one(home: Path) -> None:
    run, words = add(home, "baseline", 1.0), ["python", *(f"key{number}=value" for number in range(30)), "a='b c'"]
    mlflow.MlflowClient().set_tag(run, "ablate.command", shlex.join(words))
    update_study("own")
    lines = get(run).data.tags[NOTE].partition("Train it once more:\n\n")[2].splitlines()
    assert max(map(len, lines)) < 90
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == words


@pytest.mark.slow
def test_what_a_person_wrote_stays(home: Path) -> None:
    run, client = add(home, "baseline", 1.5), mlflow.MlflowClient()
    client.set_tag(run, NOTE, "mine")
    client.set_experiment_tag(get(run).info.experiment_id, NOTE, "Mine?")
    client.set_experiment_tag(get(run).info.experiment_id, "mlflow.experimentKind", "genai_development")
    record_study("own", STUDY, [], home)
    update_study("own")
    assert get(run).data.tags[NOTE] == "mine"
    assert study_tags()[NOTE] == "Mine?"
    assert study_tags()["mlflow.experimentKind"] == "genai_development"
    assert read_study("own", os.environ["MLFLOW_TRACKING_URI"]).question == STUDY["question"]


@pytest.mark.slow
def test_a_study_of_an_older_store_is_read_and_described_anew(home: Path, uri: str) -> None:
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("own", artifact_location=(home / "mlartifacts" / "own").as_uri())
    client.set_experiment_tag(experiment, NOTE, "Why?")
    client.set_experiment_tag(experiment, "ablate.definition", "question: Why?")
    add(home, "baseline", 1.0)
    assert read_study("own", uri).question == "Why?"
    record_study("own", STUDY, [], home)
    assert read_study("own", uri).question == STUDY["question"]
    assert study_tags()[NOTE].startswith("**Does depth \\| matter?**")
    assert study_tags()["mlflow.experimentKind"] == "custom_model_development"


@pytest.mark.slow
def test_an_edited_definition_is_seen(home: Path) -> None:
    record_study("own", STUDY, [], home)
    before = add(home, "baseline", 1.0)
    record_study("own", {**STUDY, "name": "other"}, [], home)
    assert "Edited" not in study_tags()[NOTE]
    record_study("own", {**STUDY, "seeds": [0, 1]}, [], home)
    after = add(home, "depth=shallow", 1.0)
    old, new = (get(run).data.tags["ablate.stamp"] for run in (before, after))
    assert old != new
    assert f"Definition `{new}` of" in study_tags()[NOTE]
    assert f"Edited since: it was `{old}` of" in study_tags()[NOTE]


@pytest.mark.slow
def test_all_runs_of_a_study_have_its_factors_and_a_cached_run_those_of_its_own(home: Path, uri: str) -> None:
    source = add(home, "depth=shallow,width=3", 1.0, "theirs", depth="shallow", width="3")
    assert factors(source) == {"factor/depth": "shallow", "factor/width": "3"}
    record_study("own", STUDY, [], home)
    baseline = add(home, "baseline", 1.0, depth="full", optimizer="adam")
    link_cached_run(source, study="own", variant="depth=shallow", project=home)
    record = read_study("own", uri)
    (linked,) = record.runs.index[record.runs["cached_from"].notna()]
    assert factors(baseline) == {"factor/depth": "full"}
    assert factors(str(linked)) == {"factor/depth": "shallow"}
    assert not [name for name in record.params if "factor" in name]


@pytest.mark.slow
def test_runs_of_several_commands_get_the_factors_of_all(home: Path) -> None:
    first = add(home, "baseline", 1.0, depth="full")
    second = add(home, "depth=shallow,optimizer.learning_rate=0.2", 1.0, depth="shallow")
    update_study("own")
    assert factors(first) == {"factor/depth": "full", "factor/optimizer.learning_rate": "0.1"}
    assert factors(second) == {"factor/depth": "shallow", "factor/optimizer.learning_rate": "0.2"}


@pytest.mark.slow
def test_the_views_are_of_training_runs_and_show_factors_and_results(home: Path) -> None:
    record_study("own", STUDY, [], home)
    run = add(home, "baseline", 1.0)
    report = home / "report.html"
    report.write_text("")
    held = log_study_artifacts("own", "report", home, [report])
    view = json.loads(json.loads(study_tags()["mlflow.sharedViewState.ablate"])["state"])
    assert view["selectedColumns"][:3] == ["params.`factor/depth`", "params.`seed`", "metrics.`eval/auc`"]
    found = mlflow.MlflowClient().search_runs([get(run).info.experiment_id], view["searchFilter"])
    assert [each.info.run_id for each in found] == [run]
    assert get(held).data.tags["ablate.type"] == "report"


@pytest.mark.slow
@pytest.mark.parametrize("length", [10, 3 * LIMIT])
def test_what_the_report_says_is_kept_where_a_sweep_goes_on(home: Path, length: int) -> None:
    record_study("own", STUDY, [], home)
    add(home, "baseline", 1.0)
    record_summary("own", "Better." + "x" * length)
    record_study("own", STUDY, [], home)
    assert ("Better." in study_tags()[NOTE]) == (length == 10)
    assert len(study_tags()[NOTE]) <= LIMIT
