"""The GPUs that a process may use."""

from pathlib import Path

import pytest

from ablate.system.gpus import visible_gpus


@pytest.mark.parametrize(
    ("named", "gpus"),
    [
        (None, ["0", "1"]),
        ("1", ["1"]),
        ("", []),
        ("-1", []),
        ("1,-1,0", ["1"]),
        ("GPU-8a, MIG-7", ["GPU-8a", "MIG-7"]),
    ],
)
def test_gpus_are_those_that_a_process_may_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, gpus: list[str]
) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl"):
        (tmp_path / name).touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_gpus(tmp_path) == gpus
    assert visible_gpus(tmp_path / "none") == []
