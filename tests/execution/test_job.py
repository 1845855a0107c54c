"""A job: names of its run."""

from pathlib import Path

from ablate.config.variant import Variant
from ablate.execution.code_version import Code
from ablate.execution.job import Job


def test_a_job_is_called_by_its_variant_and_seed() -> None:
    job = Job(
        values={"seed": 3},
        variant=Variant(),
        uri="sqlite:///mlflow.db",
        project=Path("/project"),
        results=Path("/project"),
        code=Code({}, {}, ""),
        trains_itself=False,
        hydra_job={},
    )
    assert job.name == Variant().run_name(3)
    assert str(job) == "baseline, seed 3"
