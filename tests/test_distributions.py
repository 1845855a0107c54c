"""The wheel and the source distribution: what they hold, and that both give the same package."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

import ablate

ROOT = Path(__file__).parents[1]
NAME = f"ablate-{ablate.__version__}"
WHEEL = f"{NAME}-py3-none-any.whl"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOT_IN_EITHER = (".pyc", ".so", ".db", ".log", ".lock", ".orig", ".rej")
pytestmark = pytest.mark.slow


def tracked(*folders: str) -> set[str]:
    """Return the files of folders that git has, or would take; in a folder without git, all but what is compiled."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def build(kind: str, folder: Path, source: Path = ROOT) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    finished = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", tmp_path_factory.mktemp("sdist"))


def test_the_wheel_holds_the_package_its_configuration_and_its_licence_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == WHEEL
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        metadata = opened.read(f"{NAME}.dist-info/METADATA").decode()
        entries = opened.read(f"{NAME}.dist-info/entry_points.txt").decode()
    own = {name.removeprefix("src/") for name in tracked("src")}
    shipped = {f"ablate/{name}" for name in tracked("conf", "experiments")}
    described = {f"{NAME}.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    assert names == own | shipped | described | {f"{NAME}.dist-info/licenses/LICENSE"}
    # Each kind by an example: what is not code is left out easily.
    assert names >= {
        "ablate/py.typed",
        "ablate/conf/base.yaml",
        "ablate/experiments/demo.yaml",
        "ablate/colorize/weights/weights.npz",
        "ablate/report/templates/report.html.j2",
        "ablate/new/template/pyproject.toml.in",
        "ablate/web/static/base.css",
        "ablate/turing/serve/english.yaml",
        "hydra_plugins/ablate_sweeper/__init__.py",
    }
    assert f"\nVersion: {ablate.__version__}\n" in metadata
    assert metadata.count("\nRequires-Dist: ") >= len(PROJECT["dependencies"])
    assert all(f"{name} = {target}" in entries for name, target in PROJECT["scripts"].items())


def test_the_source_distribution_holds_what_builds_the_wheel_and_what_one_reads(sdist: Path) -> None:
    assert sdist.name == f"{NAME}.tar.gz"
    with tarfile.open(sdist) as opened:
        names = {name.removeprefix(f"{NAME}/") for name in opened.getnames()}
    read = {"README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"}
    expected = tracked("src", "conf", "experiments", "docs") | read | {"pyproject.toml", ".gitignore", "PKG-INFO"}
    assert names == expected


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as opened:
        opened.extractall(tmp_path, filter="data")
    again = build("wheel", tmp_path / "dist", tmp_path / NAME)
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
        assert [name for name in one.namelist() if one.read(name) != other.read(name)] == []
    assert wheel.read_bytes() == again.read_bytes()


def test_neither_holds_what_is_compiled_or_written_by_a_run(wheel: Path, sdist: Path) -> None:
    with zipfile.ZipFile(wheel) as opened, tarfile.open(sdist) as other:
        paths = [PurePosixPath(name) for name in (*opened.namelist(), *other.getnames())]
    assert not [path for path in paths if path.suffix in NOT_IN_EITHER]
    assert not [path for path in paths if {"__pycache__", "results", "site-packages", ".git"} & {*path.parts}]


def test_what_it_needs_has_a_lower_bound_and_no_address() -> None:
    needed = [Requirement(each) for each in PROJECT["dependencies"]]
    assert not [each for each in needed if each.url or not any(part.operator == ">=" for part in each.specifier)]
