"""A run before it trains: what it refuses."""

from dataclasses import replace
from pathlib import Path

import pytest

from ablate.config.variant import Variant
from ablate.errors import ConfigError
from ablate.execution.identity import code
from ablate.execution.in_process import execute
from ablate.execution.job import Job
from tests.support.configs import valid_config


@pytest.mark.slow
def test_code_that_changed_since_the_command_was_given_is_refused(tmp_path: Path) -> None:
    run = valid_config("scale=smoke")
    own = code(run)
    edited = replace(own, modules={**own.modules, "ablate.training.fit": "edited"}, version="edited")
    job = Job(
        values=run.values,
        variant=Variant(),
        uri=f"sqlite:///{tmp_path / 'mlflow.db'}",
        project=tmp_path,
        results=tmp_path,
        code=edited,
        trains_itself=False,
        hydra_job={},
    )
    with pytest.raises(ConfigError, match=r"the code has changed since .* given: ablate\.training\.fit\. Give the"):
        execute(job)
    assert not any(tmp_path.iterdir())
