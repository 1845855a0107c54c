from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.tracking.study_record import StudyRecord
from tests.support.commands import QUICK, Command


@pytest.mark.slow
def test_the_published_network_is_printed_without_tensorflow(python_m: Command) -> None:
    finished = python_m("ablate.layers", "scale=paper", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert finished.returncode == 0
    lines = finished.stdout.splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "MFLOPs", "receptive", "field"]
    assert lines[2].split() == ["conv1_1", "conv", "3x3", "256x256x64", "640", "79.7", "3"]
    assert lines[-3].split()[:4] == ["head", "conv", "1x1", "64x64x313"]
    assert lines[-1].startswith("32,235,385 trainable parameters")
    assert "ablate.colorization.model.architecture" in finished.stderr
    assert "tensorflow" not in finished.stderr


@pytest.mark.slow
def test_a_mistake_ends_in_one_clear_line(forked_m: Command) -> None:
    finished = forked_m("ablate.layers", "depth=deep")
    assert finished.returncode == 1
    assert finished.stderr == (
        "Error: unknown level: depth=deep. Allowed: depth=full, depth=reduced, depth=shallow. "
        "See docs/reference/configuration.md\n"
    )


@pytest.mark.slow
def test_help_teaches(forked_m: Command) -> None:
    assert "python -m ablate.layers depth=shallow" in forked_m("ablate.layers", "--help").stdout


@pytest.mark.slow
def test_a_new_depth_and_a_new_resolution_are_a_file_each(
    home: Path, forked_m: Command, run_here: Callable[..., None], study: Callable[[], StudyRecord]
) -> None:
    for group, text in {
        "depth": "name: tiny\nblocks:\n"
        "  - {number: 1, filters: 64, convolutions: 1, stride: 4}\n"
        "  - {number: 2, filters: 64, convolutions: 1, dilation: 2}\n"
        "  - {number: 3, filters: 32, convolutions: 2}\n",
        "output_res": "name: eighth\noutput_stride: 32\n",
    }.items():
        (home / "own" / group).mkdir(parents=True)
        (home / "own" / group / f"{text.split()[1]}.yaml").write_text(f"# A level of one's own.\n{text}")
    own = [f"hydra.searchpath=[file://{home}/own]", "depth=tiny", "output_res=eighth"]
    printed = forked_m("ablate.layers", "scale=smoke", *own)
    assert printed.returncode == 0, printed.stderr
    rows = [line.split()[0] for line in printed.stdout.splitlines()[2:-2]]
    assert rows == ["conv1_1", "norm1", "conv2_1", "norm2", "conv3_down", "conv3_2", "head"]
    assert "1x1x313" in printed.stdout
    run_here(*(override for override in QUICK if not override.startswith("depth=")), *own)
    record = study()
    assert {"depth=tiny", "output_res=eighth"} <= set(record.runs["variant"].iloc[0].split(","))
    assert record.results.notna().all(axis=None)


@pytest.mark.slow
def test_a_mistake_in_a_level_of_one_s_own_is_one_line(home: Path, forked_m: Command) -> None:
    (home / "own" / "output_res").mkdir(parents=True)
    (home / "own" / "output_res" / "third.yaml").write_text("name: third\noutput_stride: 12\n")
    finished = forked_m("ablate.layers", f"hydra.searchpath=[file://{home}/own]", "output_res=third")
    assert finished.returncode == 1
    assert finished.stderr == (
        "Error: output_res.output_stride=12: must divide the stride of the blocks, 8, or be a multiple of it. "
        "See docs/reference/configuration.md\n"
    )
