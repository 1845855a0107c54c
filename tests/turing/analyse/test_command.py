"""`python -m ablate.turing analyse` on a database and a store that are filled by hand."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from ablate.errors import AblateError, ConfigError, DataError, TrackingError
from ablate.tracking.store import open_store
from ablate.tracking.study_record import StudyRecord, read_study
from ablate.turing.analyse.command import HELP, main
from ablate.turing.analyse.record import METRICS, TABLES, AnalysisRecord, log_analysis, read_analyses
from ablate.turing.bundle import Algorithm, Bundle, freeze
from ablate.turing.database import Database, Participant, Trial
from ablate.turing.protocol import Protocol
from ablate.turing.serve.enrollment import Newcomer
from ablate.turing.serve.sessions import Sessions
from tests.support.bundles import make_bundle
from tests.support.commands import Command
from tests.support.stores import ODD, add_run

PROTOCOL = Protocol(practice=2, test=12, checks=2, exposure_ms=1000)
RATES = {"baseline": 0.2, ODD: 0.6, "others": 0.4}
FILES = {
    "rates.csv",
    "pairs.csv",
    "photographs.csv",
    "exclusions.csv",
    "trials.parquet",
    "summary.json",
}


def built(folder: Path, name: str, algorithms: Sequence[Algorithm], study: str | None) -> Bundle:
    """Write a bundle whose algorithms have runs."""
    bundle = make_bundle(
        folder, name, protocol=PROTOCOL, algorithms=[each.name for each in algorithms], photographs=30, side=16
    )
    freeze(folder, bundle.manifest.model_copy(update={"algorithms": list(algorithms), "study": study}))
    return Bundle(folder)


def judged(bundle: Bundle, participants: int = 18, *, url: str = "sqlite:///turing.db", left: int = 1) -> None:
    """Let people judge a bundle; the last ones leave in the middle."""
    database = Database(url)
    sessions = Sessions(database, database.register(bundle, 0.0), bundle, clock=lambda: 1000.0)
    for number in range(participants):
        sessions.begin(Newcomer(f"key {number}", "normal"))
    random = np.random.default_rng(7)
    with database.writing() as session:
        people = session.scalars(
            select(Participant).where(Participant.experiment_id == sessions.experiment_id).order_by(Participant.id)
        ).all()
        for person in people:
            trials = session.scalars(
                select(Trial).where(Trial.participant_id == person.id).order_by(Trial.number)
            ).all()
            leaves = person.place >= participants - left
            for trial in trials[: 5 if leaves else None]:
                fooled = trial.kind == "test" and random.random() < RATES[person.algorithm]
                other = {"left": "right", "right": "left"}[trial.real_side]
                trial.choice = trial.real_side if fooled else other
                trial.exposure_ms, trial.response_ms, trial.answered = 1000.0, 800.0, 1000.0
                trial.loads, trial.shown = 1, True
            person.finished = None if leaves else 2000.0
    database.engine.dispose()


@pytest.fixture(autouse=True)
def in_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `main` keep results in the working directory, as it does where `ablate` is an installed package."""
    monkeypatch.setattr("ablate.config.paths._CHECKOUT", home / "no checkout")


@pytest.fixture(scope="session")
def evaluated_study(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with a study of two runs and a human evaluation of them and of another system; the runs by variant."""
    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copy(empty_store, folder / "mlflow.db")
    open_store(f"sqlite:///{folder / 'mlflow.db'}")
    made = {variant: add_run(folder, variant, 0) for variant in ("baseline", ODD)}
    algorithms = [*(Algorithm(name=name, run_id=run, seed=0) for name, run in made.items()), Algorithm(name="others")]
    bundle = built(folder / "turing" / "people", "people", algorithms, "hand")
    judged(bundle, url=f"sqlite:///{folder / 'turing.db'}")
    return folder, made


@pytest.fixture
def runs(home: Path, evaluated_study: tuple[Path, dict[str, str]]) -> dict[str, str]:
    """A working directory with a copy of `evaluated_study`."""
    folder, made = evaluated_study
    shutil.copytree(folder, home, dirs_exist_ok=True)
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    database = Database("sqlite:///turing.db")
    database.register(Bundle(home / "turing" / "people"), 0.0)  # where it is now
    database.engine.dispose()
    return made


@pytest.fixture
def alone(home: Path) -> Path:
    """A working directory with a human evaluation of pictures that belong to no study."""
    judged(built(home / "turing" / "alone", "alone", [Algorithm(name="baseline"), Algorithm(name=ODD)], None), 10)
    return home


def stored() -> StudyRecord:
    return read_study("hand", os.environ["MLFLOW_TRACKING_URI"])


def analyses(study: StudyRecord | None = None) -> list[AnalysisRecord]:
    study = study or stored()
    return read_analyses(study.name, study.experiment_id, study.uri)


@pytest.mark.slow
def test_the_whole_command(runs: dict[str, str], home: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.turing", "analyse", "out=there", "database=sqlite:///turing.db")
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert lines[0] == "Experiment people: 18 participants, 17 finished, 17 with 204 trials that count"
    assert lines[2].split()[:3] == ["algorithm", "participants", "trials"]
    trials = pd.read_parquet(home / "there" / "trials.parquet")
    counted = trials[trials["counts"]]
    people = counted.groupby("algorithm")["participant"].nunique()
    assert lines[4].split()[:3] == ["baseline", str(people["baseline"]), str(12 * people["baseline"])]
    assert any(line.startswith("Recoloured pictures were taken for the real ones") for line in lines)
    assert any(line.startswith("Left out: session not finished: 1 participant, ") for line in lines)
    assert lines[-2] == "Analysis: there"
    assert lines[-1] == "In MLflow: the run `turing` of study hand"
    assert {file.name for file in (home / "there").iterdir()} == FILES
    rates = pd.read_csv(home / "there" / "rates.csv")
    assert rates["algorithm"].tolist() == ["baseline", ODD, "others"]
    assert len(counted) == 204 < len(trials)
    assert (counted["kind"] == "test").all()
    means = counted.groupby("algorithm")["fooled"].mean()
    assert rates["rate"].to_numpy() == pytest.approx(100 * means[rates["algorithm"]].to_numpy())
    summary = json.loads((home / "there" / "summary.json").read_text())
    assert summary["participants"] == {"started": 18, "finished": 17, "kept": 17, "withdrawn": 0}
    assert summary["protocol"] == PROTOCOL.model_dump(mode="json")
    assert summary["answer"] == [line for line in lines if line in summary["answer"]]
    assert str(home) not in (home / "there" / "summary.json").read_text()


@pytest.mark.slow
def test_the_study_has_it_all_in_mlflow(runs: dict[str, str], home: Path) -> None:
    main(["out=there"])
    (record,) = analyses()
    assert record.experiment == "people"
    for name in ("rates", "pairs", "photographs", "exclusions"):
        pd.testing.assert_frame_equal(
            getattr(record, name), pd.read_csv(home / "there" / f"{name}.csv"), check_dtype=False, rtol=1e-12
        )
    assert record.summary == json.loads((home / "there" / "summary.json").read_text())
    assert set(record.pictures["algorithm"]) == {"baseline", ODD, "others"}
    bundle = Bundle(home / "turing" / "people")
    known = {bundle.picture(file) for file in bundle.manifest.files}
    assert all(content in known for file in ("real", "recolored") for content in record.pictures[file])
    # Each picture is that of its photograph, as this algorithm coloured it.
    shown = record.pictures.iloc[0]
    stimulus = next(each for each in bundle.manifest.stimuli if each.photograph == shown["photograph"])
    assert shown["real"] == bundle.picture(stimulus.real)
    assert shown["recolored"] == bundle.picture(stimulus.recolored[0])


@pytest.mark.slow
def test_each_variants_run_has_its_rate(runs: dict[str, str], home: Path) -> None:
    main(["out=there"])
    rates = pd.read_csv(home / "there" / "rates.csv").set_index("algorithm")
    metrics = stored().metrics
    for variant, run in runs.items():
        for metric, column in METRICS.items():
            assert metrics.loc[run, metric] == pytest.approx(rates.loc[variant, column])
    # The runs are what they were before: finished, evaluated, and no more of them.
    assert stored().runs["status"].tolist() == ["FINISHED", "FINISHED"]
    assert mlflow.get_run(runs[ODD]).data.metrics["turing/fooling_rate"] > 40


@pytest.mark.slow
def test_a_later_analysis_replaces_an_older_one(runs: dict[str, str], home: Path) -> None:
    main(["out=there"])
    (before,) = analyses()
    algorithm = Algorithm(name="baseline", run_id=runs["baseline"])
    judged(built(home / "turing" / "second", "second", [algorithm], "hand"), 6)
    main(["experiment=second"])
    _another_person(home)
    main(["experiment=people"])
    both = analyses()
    assert [record.experiment for record in both] == ["people", "second"]
    assert both[0].run_id == before.run_id
    assert both[0].summary["participants"]["started"] == before.summary["participants"]["started"] + 1
    history = mlflow.MlflowClient().get_metric_history(runs["baseline"], "turing/participants")
    first = before.rates.loc[0, "participants"]
    assert [point.value for point in history] == [first, 5.0, first]
    experiment = mlflow.get_experiment_by_name("hand")
    assert experiment is not None
    assert len(mlflow.MlflowClient().search_runs([experiment.experiment_id], "tags.`ablate.turing` LIKE '%'")) == 2


def _another_person(home: Path) -> None:
    database, bundle = Database(f"sqlite:///{home / 'turing.db'}", create=False), Bundle(home / "turing" / "people")
    Sessions(database, database.register(bundle, 0.0), bundle).begin(Newcomer("one more", "unknown"))
    database.engine.dispose()


@pytest.mark.slow
def test_what_is_half_replaced_is_not_read(runs: dict[str, str]) -> None:
    main([])
    (record,) = analyses()
    client = mlflow.MlflowClient()
    client.update_run(record.run_id, "RUNNING")
    assert analyses() == []
    main([])
    assert [found.run_id for found in analyses()] == [record.run_id]


def test_a_study_that_nobody_judged_takes_one_query(runs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    record, asked = stored(), []
    search = mlflow.MlflowClient.search_runs

    def counted(*arguments: object, **options: object) -> object:
        asked.append(options)
        return search(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(mlflow.MlflowClient, "search_runs", counted)
    assert analyses(record) == []
    assert len(asked) == 1


@pytest.mark.slow
def test_a_run_that_is_gone_is_left_out(runs: dict[str, str], home: Path, caplog: pytest.LogCaptureFixture) -> None:
    algorithms = [Algorithm(name="baseline", run_id="0" * 32), Algorithm(name=ODD, run_id=runs[ODD])]
    judged(built(home / "turing" / "moved", "moved", algorithms, "hand"), 8)
    main(["experiment=moved"])
    assert "has no run 00000000" in caplog.text
    assert "turing/fooling_rate" in mlflow.get_run(runs[ODD]).data.metrics
    assert len(analyses()) == 1


@pytest.mark.slow
def test_an_artifact_that_is_gone_is_named(runs: dict[str, str], home: Path) -> None:
    main([])
    (record,) = analyses()
    (lost,) = (home / "mlartifacts").rglob(f"{record.run_id}/artifacts/turing/pairs.parquet")
    lost.unlink()
    with pytest.raises(TrackingError, match=r"the human evaluation of study hand cannot be read.*pairs\.parquet"):
        analyses()


@pytest.mark.slow
def test_a_store_without_the_study_says_what_to_do(runs: dict[str, str], home: Path, empty_store: Path) -> None:
    with pytest.raises(TrackingError, match=r"no study hand to track it in\. uri= names another store, track=false"):
        main(["out=there", f"uri=sqlite:///{empty_store}"])
    # What was found is not lost.
    assert {file.name for file in (home / "there").iterdir()} == FILES
    tables = {name: pd.DataFrame() for name in TABLES}
    with pytest.raises(TrackingError, match="no study other"):
        log_analysis("other", "people", tables=tables, summary={}, runs={})


@pytest.mark.slow
def test_pictures_of_no_study_are_analysed_without_mlflow(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "Not in MLflow: all pictures are external, and belong to no study"
    assert {file.name for file in (alone / "turing" / "alone" / "analysis").iterdir()} == FILES
    main(["track=false", "out=there"])
    assert "MLflow" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(("change", "said"), [("lost", "lost a picture"), ("changed", "was changed after")])
def test_a_picture_that_is_not_what_was_judged_is_left_out_alone(
    change: str, said: str, runs: dict[str, str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["out=there"])
    capsys.readouterr()
    whole = analyses()[0].pictures.iloc[0]
    bundle = Bundle(home / "turing" / "people")
    file = next(name for name in bundle.manifest.files if bundle.picture(name) == whole["recolored"])
    path = home / "turing" / "people" / "pictures" / f"{file}.png"
    if change == "lost":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"x")
    main(["out=again"])
    printed = capsys.readouterr().out
    assert "Without 1 picture of the bundle: " in printed
    assert said in printed
    (record,) = analyses()
    assert len(record.pictures) > 0
    assert whole["recolored"] not in record.pictures["recolored"].tolist()
    assert (home / "again" / "rates.csv").read_bytes() == (home / "there" / "rates.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("change", ["moved", "rebuilt"])
def test_without_its_bundle_an_analysis_has_no_pictures_and_says_so(
    change: str, runs: dict[str, str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "turing" / "people"
    folder.rename(home / "elsewhere")
    if change == "rebuilt":
        make_bundle(folder, "people", protocol=PROTOCOL, photographs=30, side=16)
    main([])
    said = capsys.readouterr().out
    assert f"Without pictures: {'the bundle in' if change == 'rebuilt' else str(folder)}" in said
    (record,) = analyses()
    assert record.pictures.empty
    assert len(record.rates) == 3


@pytest.mark.slow
def test_of_several_experiments_one_has_to_be_named(runs: dict[str, str], alone: Path) -> None:
    with pytest.raises(ConfigError, match="several experiments; experiment= takes one of alone, people"):
        main([])
    main(["experiment=alone", "out=there"])
    assert json.loads((alone / "there" / "summary.json").read_text())["experiment"] == "alone"
    with pytest.raises(DataError, match="no experiment nobody"):
        main(["experiment=nobody"])


def test_an_experiment_that_nobody_has_begun(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(built(home / "turing" / "alone", "alone", [Algorithm(name="baseline"), Algorithm(name=ODD)], None), 0)
    main([])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Experiment alone: 0 participants, 0 finished, 0 with 0 trials that count"
    assert said[1] == f"No answer counts yet of baseline; {ODD}."
    with pytest.raises(DataError, match="experiment alone has no answers that count"):
        main(["--plan", "difference=5", "experiment=alone"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study=hand"], "unknown key: study"),
        (["out"], "out needs a value, as in out=VALUE"),
        (["track=maybe"], "track must be true or false. Received: track=maybe"),
        (["database=sqlite:///no.db"], r"there is no database no\.db"),
        (["--plan"], "--plan needs a difference"),
        (["--plan", "difference=five"], "difference must be a number. Received: difference=five"),
        (["--plan", "difference=5", "trials=1.5"], "trials must be a whole number. Received: trials=1.5"),
        (["--plan", "difference=5", "algorithms=1"], "algorithms must be at least 2. Received: algorithms=1"),
        (["--plan", "difference=5", "out=there"], "unknown key: out"),
        (["--plan", "difference=5", "photographs=30"], "30 photographs are too few"),
        (["--plan", "difference=5", "participants_sd=70"], "participants_sd must be 0 to 50 points. Received"),
    ],
)
def test_mistakes_are_named(home: Path, arguments: list[str], said: str) -> None:
    with pytest.raises(AblateError, match=said):
        main(arguments)


def test_an_empty_database_has_no_experiment(home: Path) -> None:
    Database("sqlite:///turing.db").engine.dispose()
    with pytest.raises(DataError, match="has no experiment yet"):
        main([])


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_named(alone: Path) -> None:
    (alone / "file").touch()
    with pytest.raises(DataError, match=r"the analysis cannot be written to file/there: "):
        main(["out=file/there"])


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    main(["--plan", *arguments])
    said = capsys.readouterr().out
    return int(said.split(" ")[0].replace(",", "")), said


@pytest.mark.slow
def test_a_plan_needs_neither_database_nor_store(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "mlflow.db").unlink()
    needed, said = planned(capsys, "difference=10")
    assert f"{2 * needed:,} in all: 80 % of such experiments find a difference of 10 points" in said
    assert "2 algorithms (1 comparison), 200 photographs and 40 trials" in said
    assert "A rate of 32.3 %, and standard deviations of 12 points over participants and 10 over" in said
    more, said = planned(capsys, "difference=10", "algorithms=4", "trials=20", "photographs=100", "rate=50")
    assert more > needed
    assert "4 algorithms (6 comparisons), 100 photographs and 20 trials" in said
    assert planned(capsys, "difference=10", "participants_sd=5", "photographs_sd=0")[0] < needed
    assert list(home.iterdir()) == []


@pytest.mark.slow
def test_a_plan_goes_by_the_answers_so_far(runs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    _, said = planned(capsys, "difference=30", "experiment=people", "photographs_sd=8")
    assert "3 algorithms (3 comparisons), 30 photographs and 12 trials" in said
    assert "and 8 over photographs" in said
    assert "estimated from the answers to people where not given" in said
    assert "A rate of 32.3 %" not in said


@pytest.mark.slow
def test_help_teaches(forked_m: Command) -> None:
    finished = forked_m("ablate.turing", "analyse", "--help")
    assert finished.stdout.strip() == HELP
    for key in ("experiment=", "database=", "out=", "uri=", "track=", "--plan", "difference=", "algorithms="):
        assert key in HELP
