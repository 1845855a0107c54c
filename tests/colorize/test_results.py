"""The places of results, and the writing of them."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablate.colorize.colorizer import Colorizer
from ablate.colorize.command import color_all, load
from ablate.colorize.engine import Engine
from ablate.colorize.files import Source, find_photographs
from ablate.colorize.options import parse_options
from ablate.colorize.results import Results, WriteError, results_of, write_result
from ablate.errors import ConfigError
from tests.colorize.conftest import COLOR


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a/1.jpg", "a/1.jpg.compare.png", "out/baseline/2.jpg", "file"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def places(folder: str, out: str, *networks: str, sheets: bool = False) -> list[Results]:
    """Return what is made of a folder's photographs by networks of these names, which are not called."""
    colorizers = [Colorizer(None, COLOR, name) for name in networks]  # type: ignore[arg-type]
    return results_of(find_photographs([folder], Path(out)), colorizers, Path(out), sheets=sheets)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file become larger: an error as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_several_networks_have_folders_and_sheets_lie_above(here: Path) -> None:
    (one,) = places("out", "new", "baseline", "a b", sheets=True)
    assert [str(file) for file in one.files] == [
        "new/baseline/baseline/2.jpg",
        "new/a_b/baseline/2.jpg",
        "new/baseline/2.jpg.compare.png",
    ]


def test_no_result_replaces_another_or_a_photograph(here: Path) -> None:
    assert len(places("a", "out", "x")) == 2
    with pytest.raises(ConfigError, match=r"a/1.jpg and a/1.jpg.compare.png would both make out/1.jpg.compare.png"):
        places("a", "out", "x", sheets=True)
    with pytest.raises(ConfigError, match=r"^out/baseline/2.jpg would replace out/baseline/2.jpg itself"):
        places("out/baseline", "out", "baseline", "other")
    (here / "link").mkdir()
    os.link("a/1.jpg.compare.png", "link/1.jpg.compare.png")
    os.link("a/1.jpg", "link/other.jpg")
    with pytest.raises(ConfigError, match=r"^link/1.jpg.compare.png would replace a/1.jpg.compare.png itself"):
        results_of(
            [Source(Path("a/1.jpg.compare.png"), Path("1.jpg.compare.png"))], [_network()], Path("link"), sheets=False
        )


def _network() -> Colorizer:
    return Colorizer(None, COLOR, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("out", ["file", "file/below", "file/below/that"])
def test_results_go_to_folders(out: str, here: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^out={out}: file is no folder; choose another place$"):
        places("a", out, "x")


@pytest.mark.parametrize(
    ("kind", "compression"), [("jpeg", None), ("png", None), ("webp", None), ("tiff", None), ("tiff", "tiff_lzw")]
)
def test_a_full_disk_says_so_whatever_is_written(kind: str, compression: str | None, here: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8))
    file = here / f"out/new/1.{kind}"
    save = partial(noise.save, format=kind, compression=compression)
    with (
        files_of_at_most(10_000),
        pytest.raises(WriteError, match=rf"new/1.{kind} cannot be written: File too large\. "),
    ):
        write_result(save, file)
    assert not list(file.parent.iterdir())
    write_result(save, file)
    with Image.open(file) as opened:
        opened.load()


def test_a_name_that_cannot_be_costs_one_file(here: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_result(lambda file: file.write(b"1"), here / "a")


@pytest.mark.slow
def test_where_nothing_more_can_be_written_the_command_stops(here: Path, network_file: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(here / "a/1.jpg", quality=100)
    (here / "a/1.jpg.compare.png").unlink()
    Image.new("RGB", (8, 8)).save(here / "a/200.png")
    for number in range(201, 300):
        os.link("a/200.png", f"a/{number}.png")
    options = parse_options(["out=full"])
    sources = find_photographs(["a"], options.out)
    with Engine(load(parse_options([f"model={network_file}"]), [])) as engine:
        with files_of_at_most(10_000), pytest.raises(WriteError, match=r"^full/1.jpg cannot be written: .* resumes$"):
            color_all(sources, engine, options)
        finished = sorted(path.name for path in (here / "full").iterdir())
        assert len(finished) < 99
        assert not [name for name in finished if name.startswith(".") or name == "1.jpg"]
        color_all(sources, engine, options)
    assert len(list((here / "full").iterdir())) == 101
