"""The GPUs that a process may use."""

from pathlib import Path

import pytest

from ablate.system.gpus import nvidia_cards, visible_gpus


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


def test_graphics_cards_on_the_bus_are_counted_with_and_without_a_driver(tmp_path: Path) -> None:
    devices = (("0x10de", "0x030000"), ("0x10de", "0x030200"), ("0x10de", "0x040300"), ("0x1002", "0x030000"))
    for number, (vendor, kind) in enumerate(devices):
        device = tmp_path / f"0000:0{number}:00.0"
        device.mkdir()
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "class").write_text(f"{kind}\n")
    (tmp_path / "gone").mkdir()
    assert nvidia_cards(tmp_path) == 2
    assert nvidia_cards(tmp_path / "none") == 0
