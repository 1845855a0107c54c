"""Interpolations `${hydra:..}`, before a job and in it."""

import os
from pathlib import Path

import pytest

from ablate.cli.command_line import CommandLine
from ablate.config.hydra_job import job_environment, unresolved_values
from ablate.config.interpolation import has_hydra_interpolation, resolve
from ablate.config.validation import validate_config
from ablate.errors import ConfigError
from ablate.study.compose import compose_runs
from ablate.study.sweep import expand_sweep


def planned(*arguments: str) -> list[dict[str, object]]:
    """Return the values that each run of a sweep is planned with, resolved."""
    given = CommandLine(arguments)
    config = given.compose_sweep()
    _, runs = expand_sweep(config)
    with job_environment(config):
        return [
            dict(validate_config(values).values)
            for values in compose_runs(lambda lines: given.loader.load_sweep_config(config, lines), runs)
        ]


KNOWN = {
    "${hydra:runtime.cwd}": "{here}",
    "${ hydra : job.name }": "run",
    "${hydra:job.config_name}": "config",
    "${hydra:sweep.dir}": "out",
    "${hydra:job.override_dirname}": "optimizer={optimizer},seed=1",
    "${hydra:runtime.choices.optimizer}": "{optimizer}",
    "${oc.env:WHO}-${seed}": "me-1",
}


@pytest.mark.slow
def test_a_sweep_is_planned_with_what_hydra_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "me")
    excluded = "hydra.job.config.override_dirname.exclude_keys=[study.variant]"
    runs = planned(
        "hydra.sweep.dir=out", excluded, "optimizer=adam,sgd", "seed=1", f"study.variant='{' | '.join(KNOWN)}'"
    )
    for run, optimizer in zip(runs, ("adam", "sgd"), strict=True):
        expected = [value.format(here=Path.cwd(), optimizer=optimizer) for value in KNOWN.values()]
        assert run["study"]["variant"].split(" | ") == expected  # type: ignore[index]


@pytest.mark.slow
def test_what_only_a_started_job_knows_is_refused_when_a_sweep_is_planned() -> None:
    given = CommandLine([])
    values, config = unresolved_values(given.compose()), given.compose_sweep()
    for key in ("job.num", "job.id", "runtime.output_dir", "sweep.subdir"):
        with (
            job_environment(config),
            pytest.raises(ConfigError, match=rf"^a: \$\{{hydra:{key}\}} has no value before a sweep's"),
        ):
            resolve({**values, "a": f"${{hydra:{key}}}"})
    with pytest.raises(ConfigError, match=r"^study\.variant: "):
        planned("seed=1,2", "study.variant=${hydra:job.num}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("${hydra:job.nmae}", "study.variant: ${hydra:job.nmae} is nothing that Hydra knows; runtime.cwd, "),
        ("${hydra:job.override_dirname}", "refers to itself"),
        ("${study.variant}", "Recursive interpolation"),
    ],
)
def test_a_mistaken_reference_is_one_line(value: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(CommandLine([f"study.variant={value}"]).compose())
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_other_values_are_left_as_they_stand() -> None:
    config = CommandLine(["study.variant=${seed}"]).compose()
    assert unresolved_values(config)["study"]["variant"] == "${seed}"
    assert not has_hydra_interpolation(unresolved_values(config))


@pytest.mark.slow
def test_a_sweep_is_planned_in_the_environment_of_its_jobs() -> None:
    environment = ["+hydra.job.env_set.CHOSEN=7", "+hydra.job.env_set.NUMBER=${hydra.job.num}"]
    assert [run["seed"] for run in planned(*environment, "seed=${oc.env:CHOSEN}")] == ["7"]
    assert "CHOSEN" not in os.environ
    with pytest.raises(ConfigError, match="Environment variable 'NUMBER' not found"):
        planned(*environment, "seed=${oc.env:NUMBER}")
