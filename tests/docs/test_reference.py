"""The reference: it is what the code says, and names every key, level, command, metric, tag and file."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mlflow
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from ablate.cli.main import COMMANDS
from ablate.colorization.metrics import METRICS
from ablate.config.paths import conf_dir
from ablate.config.project import ProjectConfig
from ablate.study.definition import StudyFile
from ablate.tracking import names
from ablate.tracking.store import open_store
from ablate.tracking.study_record import StudyRecord
from ablate.turing.__main__ import COMMANDS as TURING
from tests.support.commands import QUICK, Command
from tests.test_conf import GROUPS, with_needs

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
NOT_THE_USERS = ("hydra", "scale")
"""Sections of which the page names the levels, or the keys as a whole."""


def named(page: str) -> set[str]:
    """Return what a page names as code."""
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    return set(re.findall(r"`([^`\n]+)`", text))


def keys(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


@pytest.mark.slow
def test_the_pages_are_what_the_code_says(forked_m: Command) -> None:
    code = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
    done = forked_m("-c", code, str(FOLDER), "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_every_level_and_every_key_of_it_is_there() -> None:
    known = named("configuration")
    for group, levels in GROUPS.items():
        for level in levels:
            assert f"{group}={level}" in known
            with initialize_config_dir(str(conf_dir()), version_base="1.3"):
                config = compose("config", with_needs([f"{group}={level}"]))
            found = keys(OmegaConf.to_container(config))
            assert {key for key in found if key.split(".")[0] not in NOT_THE_USERS} <= known


def test_every_key_of_a_study_and_of_a_project_is_there() -> None:
    known = named("configuration")
    assert set(StudyFile.model_fields) <= {key.partition(".")[0] for key in known}
    assert set(ProjectConfig.model_fields) <= known
    assert {"metric.margin", "seeds.looks", "tune.grid", "tune.fraction"} <= known


def test_every_command_and_every_part_of_one_is_there() -> None:
    text = (FOLDER / "commands.md").read_text(encoding="utf-8")
    titles = re.findall(r"^##+ (.*)$", text, re.M)
    assert titles == [
        *(title for name in COMMANDS for title in (name, *(f"{name} {part}" for part in parts(name)))),
        "make",
    ]


def parts(command: str) -> tuple[str, ...]:
    return {"turing": TURING, "colorize": ("serve",)}.get(command, ())


def test_every_metric_tag_and_file_with_a_name_in_the_code_is_there() -> None:
    known = named("stored")
    constants = {name: value for name, value in vars(names).items() if isinstance(value, str) and name.isupper()}
    tags = {value for name, value in constants.items() if name.endswith("_TAG")}
    files = {value for name, value in constants.items() if name.endswith("_FILE")}
    groups = {value for name, value in constants.items() if name.endswith("_GROUP")}
    metrics = {value for value in constants.values() if value.partition("/")[0] in {*groups, "plan"} and "/" in value}
    assert len(tags) > 30
    assert len(metrics) > 10
    assert tags | metrics | set(names.PHASE_SECONDS.values()) | {metric.name for metric in METRICS} <= known
    assert {file for file in files if not any(each.endswith(file) for each in known)} == set()


@pytest.mark.slow
def test_all_that_a_run_leaves_in_mlflow_is_there(
    home: Path, run_here: Callable[..., None], study: Callable[[], StudyRecord]
) -> None:
    run_here(*QUICK, "tracking.model=true")
    known = named("stored")
    (run_id,) = study().runs.index
    open_store(f"sqlite:///{home / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    evaluated = {f"eval/{metric.name}" for metric in METRICS}
    references = {f"reference/{baseline}/{metric.name}" for baseline in ("grey", "mean_color") for metric in METRICS}
    assert set(run.data.metrics) - known == evaluated | references
    assert {tag for tag in run.data.tags if tag.startswith(names.TAG_PREFIX)} <= known
    experiment = client.get_experiment(run.info.experiment_id)
    assert {tag for tag in experiment.tags if tag.startswith(names.TAG_PREFIX)} <= known
    folders = ("", "evaluation", "provenance")
    artifacts = {item.path for folder in folders for item in client.list_artifacts(run_id, folder)}
    drawn = {path for path in artifacts if path.startswith("evaluation/") and path.endswith(".png")}
    assert artifacts - drawn - known <= {"evaluation", "provenance", "data", "model"}
