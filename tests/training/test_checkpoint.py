"""A checkpoint is current as a whole, or the one before it is."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablate.training.checkpoint import Checkpoint, load, save, steps_done

VARIABLES = {
    "model": [
        np.array([[1 / 3, -0.0], [np.nan, np.inf]], np.float32),
        np.array([2**32 - 1, 7], np.uint32),  # of a seed generator
        np.zeros((0, 3), np.float32),
    ],
    "optimizer": [np.array(2**40, np.int64), np.float32(3e-5) * np.ones(()), *(np.full(1, at) for at in range(12))],
    "metrics": [np.array(0.5, np.float32)],
}

RECORDER = {"losses": [1 / 3, 2.0], "best": None, "name": "ärger", "nested": {"epochs": [[1, 0.5]]}}


def checkpoint(step: int = 12) -> Checkpoint:
    return Checkpoint(step=step, seconds=0.1 + 0.2, recorder=RECORDER, callbacks={}, variables=VARIABLES)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.npz"


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_was_saved_comes_back_to_the_bit(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(file, checkpoint())
    found = load(file)
    assert found is not None
    assert (found.step, found.seconds, found.recorder) == (12, 0.1 + 0.2, RECORDER)
    assert list(found.variables) == list(VARIABLES)
    for kind, values in VARIABLES.items():
        assert len(found.variables[kind]) == len(values)
        assert all(same(one, other) for one, other in zip(found.variables[kind], values, strict=True))
    assert steps_done(file) == 12
    assert not warnings_of(caplog)


def test_a_kind_may_have_no_variables(file: Path) -> None:
    save(file, Checkpoint(1, 0.0, {}, {}, {"model": [np.ones(1)], "metrics": []}))
    found = load(file)
    assert found is not None
    assert {kind: len(values) for kind, values in found.variables.items()} == {"model": 1, "metrics": 0}


def test_a_new_one_replaces_the_current_one(file: Path) -> None:
    for step in (1, 2):
        save(file, checkpoint(step))
        assert steps_done(file) == step
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("already", [False, True])
def test_one_that_cannot_be_written_leaves_the_current_one(
    file: Path, monkeypatch: pytest.MonkeyPatch, already: bool
) -> None:
    def full(stream: Any, **_: Any) -> None:
        stream.write(b"half of it")
        raise OSError(28, "No space left on device")

    if already:
        save(file, checkpoint(1))
    before = {path: path.read_bytes() for path in file.parent.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", full)
        with pytest.raises(OSError, match="No space left"):
            save(file, checkpoint(2))
    assert {path: path.read_bytes() for path in file.parent.iterdir()} == before
    assert steps_done(file) == (1 if already else 0)


def test_one_is_only_current_once_it_is_on_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    save(file, checkpoint(1))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", broken)
        with pytest.raises(OSError, match="Input/output"):
            save(file, checkpoint(2))
    assert steps_done(file) == 1
    assert list(file.parent.iterdir()) == [file]


def test_where_there_is_none_nothing_is_said(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load(file) is None
    assert steps_done(file) == 0
    assert not warnings_of(caplog)


@pytest.mark.parametrize("part", [0.0, 0.0005, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_one_is_none_with_a_warning(file: Path, caplog: pytest.LogCaptureFixture, part: float) -> None:
    save(file, checkpoint())
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    assert steps_done(file) == 0
    assert not warnings_of(caplog)
    assert load(file) is None
    (message,) = warnings_of(caplog)
    assert str(file) in message
    assert "training starts again" in message


@pytest.mark.parametrize("content", ["text", "facts missing", "facts of another kind"])
def test_what_is_no_checkpoint_is_none_with_a_warning(
    file: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    if content == "text":
        file.write_text("no checkpoint")
    elif content == "facts missing":
        np.savez(file, one=np.ones(1))
    else:
        np.savez(file, facts=np.array('{"seconds": 1.0}'))
    assert steps_done(file) == 0
    assert load(file) is None
    assert len(warnings_of(caplog)) == 1


def test_objects_are_never_unpickled(file: Path) -> None:
    np.savez(file, facts=np.array([{"step": 3}], dtype=object))
    assert load(file) is None
    assert steps_done(file) == 0
