"""The memory that processes may still take."""

from pathlib import Path

import psutil
import pytest

from ablate.system.memory import available_memory, memory_limit

MIB = 2**20


def test_without_a_limit_it_is_the_machine_s(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5\n")
    (tmp_path / "memory.stat").write_text("anon 5\n")
    assert available_memory(tmp_path) == pytest.approx(psutil.virtual_memory().available, rel=0.5)
    assert memory_limit(tmp_path) is None
    (tmp_path / "memory.max").write_text(f"{2**62}\n")
    assert memory_limit(tmp_path) is None


@pytest.mark.parametrize(
    ("files", "stat"),
    [
        (("memory.max", "memory.current", "memory.stat"), "anon 1\nactive_file {0}\ninactive_file {1}\n"),
        (
            ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
            "inactive_file 0\ntotal_active_file {0}\ntotal_inactive_file {1}\n",
        ),
    ],
)
def test_a_container_has_what_its_limit_leaves_and_what_is_kept_of_files(
    tmp_path: Path, files: tuple[str, str, str], stat: str
) -> None:
    (tmp_path / "memory").mkdir()
    limit, used, consists = (tmp_path / name for name in files)
    limit.write_text(f"{100 * MIB}\n")
    used.write_text(f"{90 * MIB}\n")
    consists.write_text(stat.format(20 * MIB, 10 * MIB))
    assert available_memory(tmp_path) == 40 * MIB
    assert memory_limit(tmp_path) == 100 * MIB


@pytest.mark.parametrize(
    ("line", "job", "limit", "used"),
    [
        ("0::/slurm/job_5/step_0\n", "slurm/job_5", "memory.max", "memory.current"),
        (
            "3:cpu:/x\n4:memory:/slurm/job_5/step_0\n",
            "memory/slurm/job_5",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
        ),
    ],
)
def test_a_scheduler_limits_a_group_above_that_of_the_process(
    tmp_path: Path, line: str, job: str, limit: str, used: str
) -> None:
    own, folder = tmp_path / "cgroup", tmp_path / job
    folder.mkdir(parents=True)
    own.write_text(line)
    for name, text in ((limit, f"{100 * MIB}\n"), (used, f"{90 * MIB}\n"), ("memory.stat", "anon 1\n")):
        (folder / name).write_text(text)
    assert available_memory(tmp_path, own) == 10 * MIB
    assert memory_limit(tmp_path, own) == 100 * MIB
