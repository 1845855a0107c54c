"""`python -m ablate.colorize` as a user runs it."""

import io
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablate.colorize.command import load
from ablate.colorize.engine import Engine
from ablate.colorize.options import parse_options, split_sources
from ablate.errors import ConfigError
from tests.support.commands import QUICK, Command
from tests.support.forked import Forked, ForkedProcess


@pytest.fixture
def folder(home: Path, astronaut: Image.Image) -> Path:
    """Photographs of three kinds, and one that is broken."""
    photographs = home / "photographs"
    (photographs / "deep").mkdir(parents=True)
    astronaut.save(photographs / "one.jpg", quality=95)
    astronaut.convert("L").save(photographs / "deep/two.png")
    Image.fromarray(np.asarray(astronaut.convert("L")).astype(np.uint16) * 257).save(photographs / "deep/three.tiff")
    (photographs / "broken.jpg").write_bytes(b"no picture")
    return photographs


def seen(file: Path) -> tuple[str | None, tuple[int, int], str]:
    """Return a picture's format, size and mode; it can be decoded."""
    with Image.open(file) as opened:
        opened.load()
        return opened.format, opened.size, opened.mode


def test_a_folder_is_coloured_as_a_tree(forked_m: Command, folder: Path, network_file: Path, home: Path) -> None:
    command = ("ablate.colorize", "photographs", f"model={network_file}", "compare=true")
    done = forked_m(*command)
    assert done.returncode == 1
    assert done.stdout == "3 photographs coloured, in colorized\nBeside each other: the files *.compare.png there\n"
    expected = (
        "Error: 1 photograph could not be coloured:\n  photographs/broken.jpg: no JPEG, PNG, WebP or TIFF picture\n"
        "See docs/colorize.md\n"
    )
    assert done.stderr == expected
    files = sorted(str(path.relative_to(home / "colorized")) for path in (home / "colorized").rglob("*.*"))
    names = ["deep/three.tiff", "deep/two.png", "one.jpg"]
    assert files == sorted([*names, *(f"{name}.compare.png" for name in names)])
    for name in names:
        before, after = seen(folder / name), seen(home / "colorized" / name)
        assert after == (*before[:2], "RGB")
    # grey, the network, and the truth of the only one that has colours
    widths = [seen(home / f"colorized/{name}.compare.png")[1][0] for name in names]
    assert widths == [792, 792, 1184]
    # What is there stays; what is missing is made.
    (home / "colorized/one.jpg").unlink()
    before = (home / "colorized/deep/two.png").stat().st_mtime_ns
    (folder / "broken.jpg").unlink()
    done = forked_m(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 photograph coloured, in colorized; 2 were there already" in done.stdout
    assert (home / "colorized/deep/two.png").stat().st_mtime_ns == before
    assert "3 photographs coloured" in forked_m(*command, "overwrite=true").stdout


def test_variants_of_a_study_have_folders_of_their_own(forked_m: Command, folder: Path, home: Path) -> None:
    quick = [argument for argument in QUICK if argument != "tracking.model=false"]
    done = forked_m("ablate.run", "-m", "study.name=tiny", "loss=rebalanced,regression", *quick)
    assert done.returncode == 0, done.stdout + done.stderr
    one = forked_m("ablate.colorize", "photographs/one.jpg", "study=tiny", "compare=true", "temperature=1")
    assert one.returncode == 0, one.stderr
    assert sorted(path.name for path in (home / "colorized").iterdir()) == [
        "baseline",
        "loss=regression",
        "one.jpg.compare.png",
    ]
    assert seen(home / "colorized/one.jpg.compare.png")[1][0] == 4 * 392 + 8
    chosen = forked_m("ablate.colorize", "photographs/one.jpg", "study=tiny", "variant=loss=regression", "out=x")
    assert (chosen.returncode, chosen.stderr) == (0, "")
    assert (home / "x/one.jpg").read_bytes() == (home / "colorized/loss=regression/one.jpg").read_bytes()
    wrong = forked_m("ablate.colorize", "photographs/one.jpg", "study=tiny", "variant=loss=other")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("Error: unknown level: variant=loss=other. Allowed: variant=baseline")


@pytest.mark.slow
def test_an_interruption_leaves_no_torn_file(
    home: Path, network_file: Path, astronaut: Image.Image, forked: Forked, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (home / "many").mkdir()
    large = astronaut.resize((1500, 1000))
    large.save(home / "many/0.png")
    for number in range(1, 60):
        os.link(home / "many/0.png", home / f"many/{number}.png")
    output = tmp_path_factory.mktemp("output") / "log.txt"
    command = ["ablate.colorize", "many", f"model={network_file}"]
    process = ForkedProcess(forked, command, folder=home, output=output)
    try:
        while not list((home / "colorized").glob("*.png")):
            assert process.is_running(), output.read_text()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        process.finish()
    finally:
        process.end()
    assert process.returncode == 130
    found = list((home / "colorized").iterdir())
    assert 0 < len(found) < 60
    for path in found:
        assert not path.name.startswith(".")
        assert seen(path) == ("PNG", (1500, 1000), "RGB")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], None),
        (["out=x"], "Error: which photographs?"),
        (["none.jpg"], "Error: there is no none.jpg"),
        (["photographs", "colour=true"], "Error: unknown key: colour"),
        (["photographs", "temperature=0"], "Error: temperature=0: input should be greater than 0"),
        (["photographs", "upsampling=none"], "Error: upsampling=none: input should be 'edge_aware' or 'bilinear'"),
        (["photographs", "model=../../etc/passwd"], "Error: ../../etc/passwd: a model must be a .keras file"),
        (["photographs", "model=none.keras"], "Error: none.keras: there is no such model file"),
        (["photographs", "run=none"], "Error: run none cannot be read: "),
        (["photographs", "variant=baseline"], "Error: variant= chooses among those of a study"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], message: str | None, forked_m: Command, folder: Path
) -> None:
    done = forked_m("ablate.colorize", *arguments)
    if message is None:
        assert (done.returncode, done.stdout.startswith("Colour photographs with")) == (0, True)
        return
    assert done.returncode == 1
    assert done.stderr.startswith(message), done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_with_an_equals_sign_is_a_file(home: Path) -> None:
    (home / "a=b.jpg").touch()
    assert split_sources(["a=b.jpg", "out=x", "c.jpg"]) == (["a=b.jpg", "c.jpg"], ["out=x"])
    assert split_sources(["./a=*.jpg", "out=./x=y"]) == (["./a=*.jpg"], ["out=./x=y"])
    with pytest.raises(ConfigError, match="quality=0"):
        parse_options(["quality=0"])


@pytest.mark.slow
def test_names_of_every_kind(forked_m: Command, home: Path, network_file: Path, astronaut: Image.Image) -> None:
    names = ["-rf.jpg", "n" * 251 + ".jpg", "[a]*.jpg", "a\nb.jpg", "\udcff.jpg", "x=y.jpg", "\U0001f308.jpg"]
    for name in names:
        astronaut.save(home / name)
    done = forked_m("ablate.colorize", *names, f"model={network_file}", "out=\udcfe")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{len(names)} photographs coloured, in \\xfe\n"
    assert sorted(path.name for path in (home / "\udcfe").iterdir()) == sorted(names)


@pytest.mark.slow
def test_many_at_once_get_what_each_gets_alone(network_file: Path, astronaut: Image.Image) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def encoded(number: int) -> bytes:
        file = io.BytesIO()
        astronaut.rotate(number).resize((60 + number, 50)).save(file, "PNG")
        return file.getvalue()

    contents = [encoded(number) for number in range(50)]
    (colorizer,) = load(parse_options([f"model={network_file}"]), [])
    with Engine([colorizer]) as engine:

        def color(content: bytes) -> np.ndarray:
            with engine.holding(30_000_000):
                return np.asarray(engine.color(engine.read(content), colorizer).image, int)

        alone = [color(content) for content in contents[:5]]
        with ThreadPoolExecutor(40) as pool:
            together = list(pool.map(color, contents))
    for one, other in zip(alone, together, strict=False):
        np.testing.assert_allclose(one, other, atol=2)
