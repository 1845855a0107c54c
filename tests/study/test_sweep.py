"""The runs of a sweep, from its arguments: in one study, each with a name of its own."""

from pathlib import Path

import pytest

from ablate.cli.command_line import CommandLine
from ablate.errors import ConfigError
from ablate.study.definition import StudyFile
from ablate.study.planning import PlannedRun
from ablate.study.sweep import plan_sweep

STUDY = """\
question: Does it matter?
baseline: {dropout.rate: 0.0}
factors: {dropout.rate: [0.0, 0.5]}
design: one_at_a_time
seeds: [4, 5]
metric: {name: auc_raw, direction: maximize}
"""


@pytest.fixture(autouse=True)
def studies(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies that are called like anything."""
    (home / "experiments").mkdir()
    for name in ("mine", "2024", "1e3", "null"):
        (home / "experiments" / f"{name}.yaml").write_text(STUDY)
    for variable, value in (("WHO", "anna"), ("MINE", "mine"), ("SEED", "7")):
        monkeypatch.setenv(variable, value)


def planned(*arguments: str) -> tuple[StudyFile | None, list[PlannedRun]]:
    given = CommandLine(["-m", "scale=smoke", "depth=shallow", *arguments])
    return plan_sweep(given.loader, given.compose_sweep())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["experiment=mine"], "mine"),
        (["experiment=mine", "study.name=${oc.env:WHO}-try"], "anna-try"),
        (["experiment=mine", "study.name=${scale.name}-try"], "smoke-try"),
        (["experiment=mine", "study.name='2024'"], "2024"),
        (["experiment=mine", "study.name=1e3"], "1e3"),
        (["experiment=mine", "study.name=null"], "null"),
        (["experiment=${oc.env:MINE}"], "mine"),
        (["experiment=2024"], "2024"),
        (["experiment=1e3"], "1e3"),
        (["experiment=null"], "null"),
    ],
)
def test_a_study_and_its_runs_have_one_name(arguments: list[str], name: str) -> None:
    study, runs = planned(*arguments)
    assert study is not None
    assert study.name == name
    assert [run.study for run in runs] == [name] * 4
    assert [run.config.values["study"]["name"] for run in runs] == [name] * 4


@pytest.mark.slow
def test_every_run_of_a_sweep_is_resolved() -> None:
    _, runs = planned("study.variant=a,b", "study.name=${oc.env:WHO}-x", "seed=${oc.env:SEED},8")
    assert [(run.study, run.seed) for run in runs] == [("anna-x", 7), ("anna-x", 8)] * 2
    assert len({run.identity for run in runs}) == 2
    _, runs = planned("study.variant=2024,1e3,true")
    assert [run.config.run.study.variant for run in runs] == ["2024", "1e3", "true"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["experiment=mine", "study.name=x${dropout.rate}"], "study.name must be the same for all runs of a study"),
        (["experiment=mine", "study.variant=x"], "experiment=mine names its variants"),
        (["experiment=mine", "study={name: x}"], "experiment=mine names its variants"),
        (["experiment=mine,2024"], "one study at a time"),
        (
            ["study.variant=x", "dropout.rate=0.1,0.2"],
            "study.variant=x names two configurations: dropout.rate=0.1 and dropout.rate=0.2. Leave it out",
        ),
        (["study={variant: x}", "optimizer={learning_rate:0.01},{learning_rate:0.02}"], "names two configurations"),
        (["study.variant=${scale.name}", "dropout.rate=0.1,0.2"], "study.variant=smoke names two configurations"),
    ],
)
def test_what_would_have_one_name_is_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        planned(*arguments)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["study.variant=x", "hardware.threads=1,2"],
        ["study.variant=x", "seed=1,2"],
        ["study.variant=x${dropout.rate}", "dropout.rate=0.1,0.2"],
        ["study.variant=x", "study.name=a,b", "dropout.rate=0.1"],
    ],
)
def test_one_name_may_stand_for_one_configuration(arguments: list[str]) -> None:
    assert len(planned(*arguments)[1]) == 2
