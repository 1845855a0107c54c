"""The findings of each part of the examination, on machines that are well and on others."""

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ablate.config.training import HardwareConfig
from ablate.doctor.disk import Place, examine_disk, temporary_findings
from ablate.doctor.finding import Finding, Group, Mark, format_end, format_group, note, ok, plain, problem
from ablate.doctor.installation import examine_installation, unmet
from ablate.doctor.machine import (
    address_findings,
    energy_findings,
    load_findings,
    memory_findings,
    processor_findings,
    share_findings,
)
from ablate.doctor.store import examine_store, file_system
from ablate.doctor.tensorflow import Seen, gpu_findings
from ablate.doctor.training import precision_findings, thread_findings
from tests.support.mlflow_server import mlflow_server
from tests.support.servers import free_port
from tests.tracking.test_database_schema import changed

OK, NOTE, PROBLEM = Mark.OK, Mark.NOTE, Mark.PROBLEM
CUDA = Seen(tensorflow="2", keras="3", cuda="12.5")


def marks(findings: Iterator[Finding] | list[Finding]) -> list[Mark]:
    """Return the marks of findings; what is no problem needs no advice."""
    found = list(findings)
    assert all(finding.advice for finding in found if finding.mark == PROBLEM)
    return [finding.mark for finding in found]


def test_a_group_is_printed_with_what_to_do_below() -> None:
    group = Group("Disk", [ok("much room"), problem("no room", "make some")])
    assert format_group(group) == "Disk\n  ok       much room\n  problem  no room\n           -> make some"
    assert format_end([group, Group("x", [note("a"), note("b")])]) == "1 problem, 2 notes"
    assert format_end([]) == "no problems, no notes"
    assert json.loads(json.dumps(plain([group])))["groups"][0]["findings"][1] == {
        "mark": "problem",
        "text": "no room",
        "advice": "make some",
    }


def test_this_installation_is_as_the_package_asks() -> None:
    assert PROBLEM not in marks(list(examine_installation().findings))


def test_a_package_of_another_version_and_one_that_is_missing_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("tensorflow-2.10.0", "Name: tensorflow\nVersion: 2.10.0\n"), ("h-1", "Name: h\nVersion: 1\n")):
        (tmp_path / f"{name}.dist-info").mkdir()
        (tmp_path / f"{name}.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\n{text}")
    monkeypatch.syspath_prepend(tmp_path)
    (wrong,) = [each for each in examine_installation().findings if each.mark == PROBLEM]
    assert wrong.text.startswith("tensorflow 2.10.0 is installed: ablate needs tensorflow>=")
    assert wrong.advice.startswith("pip install 'tensorflow>=")
    assert unmet(Requirement("h>=1")) == ""
    assert unmet(Requirement("no-such-package-here")) == "no-such-package-here is not installed"
    assert metadata.version("h") == "1"


@pytest.mark.parametrize(
    ("sets", "machine", "mark"),
    [
        (("AVX", "AVX2", "AVX512"), "x86_64", OK),
        (("AVX",), "x86_64", NOTE),
        ((), "x86_64", PROBLEM),
        ((), "aarch64", OK),
    ],
)
def test_a_processor_without_avx_cannot_run_tensorflow(sets: tuple[str, ...], machine: str, mark: Mark) -> None:
    assert marks(processor_findings(sets, machine)) == [mark]


def test_memory_load_and_threads_that_make_runs_slow_are_notes() -> None:
    (little,) = memory_findings(10**9, limit=2 * 10**9)
    assert (little.mark, little.text) == (NOTE, "1.00GB of the container's 2.00GB of memory are free")
    assert marks(memory_findings(10**11)) == [OK]
    assert marks(load_findings(3.0, 2)) == [NOTE]
    assert marks(load_findings(0.3, 2)) == []
    hardware = HardwareConfig(precision="float32", devices=None, compile="auto", onednn=True, threads=4)
    assert marks(thread_findings(hardware, 2)) == [NOTE]
    assert marks(thread_findings(hardware, 4)) == [OK]


def test_settings_of_the_environment_that_do_not_count_are_notes() -> None:
    environment = {"OMP_NUM_THREADS": "0", "SLURM_CPUS_PER_TASK": "4"}
    (zero,) = share_findings(environment)
    assert (zero.mark, zero.text) == (NOTE, "OMP_NUM_THREADS=0 is no number of threads from 1: it counts as none")
    assert marks(share_findings({"OMP_NUM_THREADS": "2,1"})) == []
    (missing,) = temporary_findings("/nonexistent", "/tmp")
    assert missing.text == "TMPDIR=/nonexistent cannot be written: temporary files lie in /tmp"
    assert marks(temporary_findings("", "/tmp")) == marks(temporary_findings("/tmp/", "/tmp")) == []
    (few,) = address_findings(3 * 10**9)
    assert (few.mark, "3.00GB of addresses (ulimit -v)" in few.text) == (NOTE, True)
    assert marks(address_findings(None)) == []


def test_energy_counters_that_only_root_reads_are_a_note() -> None:
    assert marks(energy_findings(True, False)) == [NOTE]
    assert marks(energy_findings(True, True)) == [OK]
    assert marks(energy_findings(False, False)) == []


@pytest.mark.parametrize(
    ("precision", "on_gpu", "units", "mark"),
    [
        ("float32", False, (), OK),
        ("float32", False, ("AMX",), NOTE),
        ("mixed_bfloat16", False, ("AMX",), OK),
        ("mixed_bfloat16", False, (), NOTE),
        ("mixed_float16", False, (), NOTE),
        ("mixed_float16", True, (), OK),
    ],
)
def test_a_precision_that_is_slow_here_is_a_note(
    precision: str, on_gpu: bool, units: tuple[str, ...], mark: Mark
) -> None:
    assert marks(precision_findings(precision, on_gpu=on_gpu, units=units)) == [mark]


@pytest.mark.parametrize(
    ("seen", "nodes", "cards", "visible", "missing", "mark", "text"),
    [
        (CUDA, 0, 0, [], [], OK, "no GPU"),
        (Seen(gpus=["NVIDIA L4"], cuda="12.5"), 1, 1, ["0"], ["nvidia-nccl-cu12"], OK, "NVIDIA L4"),
        (CUDA, 0, 2, [], [], PROBLEM, "2 NVIDIA GPUs on the PCI bus"),
        (CUDA, 1, 1, [], [], NOTE, "CUDA_VISIBLE_DEVICES=-1 hides 1 NVIDIA GPU"),
        (Seen(cuda=None), 1, 1, ["0"], [], PROBLEM, "built without CUDA"),
        (CUDA, 1, 0, ["0"], ["nvidia-cudnn-cu12"], PROBLEM, "lacks nvidia-cudnn-cu12"),
        (CUDA, 1, 1, ["0"], [], PROBLEM, "does not see"),
    ],
)
def test_a_gpu_that_tensorflow_does_not_see_is_a_problem_with_its_reason(
    seen: Seen,
    nodes: int,
    cards: int,
    visible: list[str],
    missing: list[str],
    mark: Mark,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    given = {"nodes": nodes, "cards": cards, "visible": visible, "missing": missing}
    found = list(gpu_findings(seen, **given, only_cpu=False))  # type: ignore[arg-type]
    assert marks(found) == [mark]
    assert text in found[0].text
    assert marks(gpu_findings(seen, **given, only_cpu=True)) == [OK]  # type: ignore[arg-type]


def test_room_for_the_runs_is_compared_with_what_they_need(tmp_path: Path) -> None:
    below = tmp_path / "not" / "yet"
    assert marks(list(examine_disk([Place("store", below, 1), Place("checkpoints", tmp_path, 1)]).findings)) == [OK]
    found = list(examine_disk([Place("store", below, 2**60), Place("checkpoints", tmp_path, 2**60)]).findings)
    assert marks(found) == [PROBLEM]
    assert found[0].text.startswith(f"store and checkpoints on the disk of {tmp_path}: ")
    assert [*tmp_path.iterdir()] == []


def test_a_place_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (Path("/proc/store"), tmp_path / "file" / "store"):
        found = examine_disk([Place("store", place, 0)]).findings
        assert "cannot be written" in found[-1].text
        assert found[-1].mark == PROBLEM


def test_a_small_disk_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("file systems may not be mounted here")
    try:
        assert file_system(disk / "mlflow.db") == "tmpfs"
        assert marks(list(examine_disk([Place("store", disk, 2**19)]).findings)) == [NOTE]
        (disk / "filling").write_bytes(bytes(900_000))
        found = list(examine_disk([Place("store", disk, 2**19), Place("checkpoints", tmp_path, 1)]).findings)
        assert [finding.mark for finding in found if "store" in finding.text] == [PROBLEM]
        assert marks(found).count(OK) == 1
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    (found,) = examine_store(f"sqlite:///{tmp_path}/mlflow.db").findings
    assert (found.mark, found.text.partition(": ")[2]) == (OK, "no runs yet; the first one makes the store")
    (tmp_path / "empty.db").touch()
    assert marks(list(examine_store(f"sqlite:///{tmp_path}/empty.db").findings)) == [OK]
    assert [path.name for path in tmp_path.iterdir()] == ["empty.db"]
    assert not (tmp_path / "empty.db").stat().st_size


@pytest.mark.parametrize(
    ("change", "mark", "text"),
    [
        ([], OK, "that of the installed MLflow"),
        (["UPDATE alembic_version SET version_num = '0584bdc529eb'"], PROBLEM, "by an older MLflow"),
        (
            ["UPDATE alembic_version SET version_num = '75868b020152'", "DROP TABLE logged_model_params"],
            PROBLEM,
            "by an older MLflow",
        ),
        (["UPDATE alembic_version SET version_num = 'ffffffffffff'"], PROBLEM, "by a newer MLflow"),
    ],
)
def test_a_store_of_another_schema_is_named_and_not_changed(
    empty_store: Path, tmp_path: Path, change: list[str], mark: Mark, text: str
) -> None:
    store = tmp_path / "mlflow.db"
    store.write_bytes(empty_store.read_bytes())
    uri = changed(store, *change)
    before = store.read_bytes()
    found = list(examine_store(uri).findings)
    assert marks(found) == [mark]
    assert text in found[0].text
    assert store.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_a_damaged_file_is_a_problem(empty_store: Path, tmp_path: Path) -> None:
    store, content = tmp_path / "mlflow.db", bytearray(empty_store.read_bytes())
    with closing(sqlite3.connect(empty_store)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'metrics'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content[(page - 1) * size : page * size] = bytes([255]) * size
    store.write_bytes(content)
    (found,) = examine_store(f"sqlite:///{store}").findings
    assert found.mark == PROBLEM
    assert "is damaged: " in found.text
    assert f"sqlite3 {store} .recover" in found.advice
    assert store.read_bytes() == content


def test_a_locked_file_is_a_problem_that_says_who_holds_it(empty_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "mlflow.db"
    store.write_bytes(empty_store.read_bytes())
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        (found,) = examine_store(f"sqlite:///{store}?timeout=0").findings
    assert found.mark == PROBLEM
    assert "database is locked" in found.text
    assert f"`fuser {store}` names" in found.advice


def test_another_program_s_database_and_no_database_are_problems(tmp_path: Path) -> None:
    assert marks(list(examine_store(changed(tmp_path / "mail.db", "CREATE TABLE letters (text)")).findings)) == [
        PROBLEM
    ]
    (tmp_path / "text.db").write_text("text " * 999)
    assert marks(list(examine_store(f"sqlite:///{tmp_path}/text.db").findings)) == [PROBLEM]
    assert marks(list(examine_store("sqlite://").findings)) == [PROBLEM]
    assert marks(list(examine_store("nonsense://x").findings)) == [PROBLEM]


@pytest.mark.parametrize("scheme", ["http://", "postgresql://ann:secret@"])
def test_a_server_that_is_not_there_is_a_problem_without_its_password(scheme: str) -> None:
    (found,) = examine_store(f"{scheme}127.0.0.1:{free_port()}/x").findings
    assert found.mark == PROBLEM
    assert "efused" in found.text
    assert "secret" not in found.text
    assert "tracking.uri" in found.advice


@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_a_server_that_accepts_and_never_answers_is_not_waited_for(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (found,) = examine_store(f"{scheme}://127.0.0.1:{port}/x", seconds=1).findings
    assert found.mark == PROBLEM
    assert "does not answer within 1 s" in found.text


@pytest.mark.slow
def test_a_server_says_its_version(tmp_path: Path, empty_store: Path) -> None:
    with mlflow_server(tmp_path, empty_store) as uri:
        (found,) = examine_store(uri).findings
        assert (found.mark, found.text.partition(": ")[2].split()[:2]) == (OK, ["MLflow", f"{_mlflow()},"])


def _mlflow() -> str:
    return metadata.version("mlflow")


def test_a_file_that_may_not_be_written_is_a_problem(empty_store: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    store = tmp_path / "mlflow.db"
    store.write_bytes(empty_store.read_bytes())
    store.chmod(0o400)
    assert PROBLEM in marks(list(examine_store(f"sqlite:///{store}").findings))
