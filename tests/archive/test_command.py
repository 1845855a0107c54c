"""The commands, whole: a report from an archive has the bytes of that from the store."""

import os
import shutil
from pathlib import Path

import pytest

from ablate.tracking.store import open_store
from tests.support.archives import contents, with_runs
from tests.support.commands import Command
from tests.support.stores import ODD, add_failed, add_run


def imported(forked_m: Command, home: Path, *files: Path | str) -> Path:
    """Import archives into a store of their own."""
    (home / "new").mkdir(exist_ok=True)
    done = forked_m("ablate.archive", "import", *map(str, files), "uri=sqlite:///new/other.db")
    assert done.returncode == 0, done.stderr
    return home / "new" / "other.db"


def report(forked_m: Command, home: Path, *arguments: str) -> dict[str, bytes]:
    """Make a report, and return its files."""
    shutil.rmtree(home / "made", ignore_errors=True)
    done = forked_m("ablate.report", "out=made", "track=false", *arguments)
    assert done.returncode == 0, done.stderr
    return contents(home / "made")


@pytest.mark.slow
def test_a_report_from_an_archive_has_the_bytes_of_that_from_the_store(hand_made: Path, forked_m: Command) -> None:
    add_run(hand_made, ODD, 2, gain=4.0)  # again
    add_failed(hand_made, "loss=new", 1)
    wanted = report(forked_m, hand_made, "study=hand", "partial=true")
    assert {"report.html", "report.md", "report.tex", "runs.csv", "figures/grid.png"} <= wanted.keys()
    done = forked_m("ablate.archive", "export", "out=hand.zip")
    assert done.stdout.startswith("8 runs of study hand: hand.zip (0.")
    store = imported(forked_m, hand_made, "hand.zip")
    assert report(forked_m, hand_made, f"uri=sqlite:///{store}", "partial=true") == wanted
    (hand_made / "mlflow.db").unlink()
    assert report(forked_m, hand_made, "from=hand.zip", "partial=true") == wanted


@pytest.mark.slow
def test_a_study_of_two_machines_is_reported_as_that_of_one(hand_made: Path, archive: Path, forked_m: Command) -> None:
    wanted = report(forked_m, hand_made, "study=hand")
    one = with_runs(archive, hand_made / "one.zip", lambda tags: tags["ablate.seed"] == "1")
    two = with_runs(archive, hand_made / "two.zip", lambda tags: tags["ablate.seed"] != "1")
    store = imported(forked_m, hand_made, two, one)
    assert report(forked_m, hand_made, f"uri=sqlite:///{store}") == wanted
    assert report(forked_m, hand_made, "from=one.zip,two.zip") == wanted
    again = forked_m("ablate.archive", "export", f"uri=sqlite:///{store}", "out=again.zip")
    assert again.returncode == 0
    assert (hand_made / "again.zip").read_bytes() == archive.read_bytes()


@pytest.mark.slow
def test_importing_twice_adds_nothing(home: Path, archive: Path, forked_m: Command) -> None:
    for said in ("6 runs of study hand added", "0 runs of study hand added, 6 were there"):
        done = forked_m("ablate.archive", "import", str(archive))
        assert (done.stdout, done.stderr) == (f"{archive}: {said}\n", "")


@pytest.mark.slow
def test_the_same_study_gives_the_same_bytes(hand_made: Path, archive: Path, forked_m: Command) -> None:
    for name in ("a.zip", "b.zip"):
        assert forked_m("ablate.archive", "export", "study=hand", f"out={name}").returncode == 0
        assert (hand_made / name).read_bytes() == archive.read_bytes()


@pytest.mark.slow
def test_without_pictures_the_report_lacks_the_grid_and_agrees_with_itself(hand_made: Path, forked_m: Command) -> None:
    wanted = report(forked_m, hand_made, "study=hand")
    assert forked_m("ablate.archive", "export", "samples=false", "out=plain.zip").returncode == 0
    found = report(forked_m, hand_made, "from=plain.zip")
    assert wanted.keys() - found.keys() == {"figures/grid.png", "figures/grid.pdf"}
    for name in ("runs.csv", "scores.parquet", "comparison.csv", "summary.json"):
        assert found[name] == wanted[name]
    store = imported(forked_m, hand_made, "plain.zip")
    assert report(forked_m, hand_made, f"uri=sqlite:///{store}") == found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["exprot"], "unknown command: exprot. Allowed: export, import"),
        (["import"], "import needs at least one archive"),
        (["import", "missing.zip"], "there is no archive missing.zip"),
        (
            ["import", "a.zip", "conflicts=no"],
            "unknown level: conflicts=no. Allowed: conflicts=keep, conflicts=refuse",
        ),
        (["export", "study=none"], "has no study none. Its studies: none"),
        (["export"], "there are no runs yet"),
        (["export", "sample=false"], "Did you mean samples?"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str],
    said: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from ablate.archive.__main__ import main

    open_store(os.environ["MLFLOW_TRACKING_URI"])
    monkeypatch.setattr("sys.argv", ["ablate.archive", *arguments])
    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
