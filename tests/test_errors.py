"""Errors after which a run is resumed, and those after which it is not."""

import pytest

from ablate.errors import ConfigError, Diverged, TrackingError, is_resumable


class ResourceExhaustedError(Exception):
    """Stands for TensorFlow's."""


@pytest.mark.parametrize("error", [TrackingError(), OSError(28, "full"), MemoryError(), ResourceExhaustedError()])
def test_a_run_resumes_after_what_the_machine_or_the_store_did(error: Exception) -> None:
    assert is_resumable(error)


@pytest.mark.parametrize("error", [Diverged(), ConfigError(), ZeroDivisionError()])
def test_a_run_does_not_resume_after_its_own_failure(error: Exception) -> None:
    assert not is_resumable(error)
