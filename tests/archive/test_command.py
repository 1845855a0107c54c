"""The commands: a report from an archive has the bytes of that from the store, and so has an archive of an archive."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from ablate.archive.__main__ import main
from ablate.archive.read import opened_archive
from ablate.tracking.sqlite import local_folder
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.archives import changed, contents, members_of, with_runs, write_members
from tests.support.commands import Command
from tests.support.stores import ODD, add_failed, add_run

Archive = Callable[..., str]


@pytest.fixture
def archive_m(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Archive:
    """Run `python -m ablate.archive ARGUMENTS` here; return what it prints."""

    def call(*arguments: str | Path) -> str:
        monkeypatch.setattr("sys.argv", ["ablate.archive", *map(str, arguments)])
        main()
        return capsys.readouterr().out

    return call


@pytest.fixture
def other(home: Path, empty_store: Path) -> str:
    """The address of another store, which is empty."""
    (home / "other").mkdir()
    shutil.copy(empty_store, home / "other" / "other.db")
    return f"sqlite:///{home}/other/other.db"


@pytest.mark.slow
def test_a_report_from_an_archive_has_the_bytes_of_that_from_the_store(
    hand_made: Path, other: str, forked_m: Command
) -> None:
    add_run(hand_made, ODD, 2, gain=4.0)  # again
    add_failed(hand_made, "loss=new", 1)

    def report(*arguments: str) -> dict[str, bytes]:
        done = forked_m("ablate.report", f"out={arguments[0]}", "track=false", "partial=true", *arguments[1:])
        assert done.returncode == 0, done.stderr
        return contents(hand_made / arguments[0])

    wanted = report("before", "study=hand")
    assert {"report.html", "report.md", "report.tex", "runs.csv", "figures/grid.jpg"} <= wanted.keys()
    done = forked_m("ablate.archive", "export", "out=hand.zip")
    assert re.fullmatch(r"8 runs of study hand: hand\.zip \(\d\d\.\d KiB\)\n", done.stdout), done.stderr
    assert forked_m("ablate.archive", "import", "hand.zip", f"uri={other}").returncode == 0
    assert report("imported", f"uri={other}") == wanted
    (hand_made / "mlflow.db").unlink()
    assert report("from", "from=hand.zip") == wanted


def test_the_same_study_gives_the_same_bytes(hand_made: Path, archive: Path, archive_m: Archive) -> None:
    for name in ("a.zip", "b.zip"):
        archive_m("export", "study=hand", f"out={name}")
        assert (hand_made / name).read_bytes() == archive.read_bytes()


@pytest.mark.slow
def test_a_study_of_two_machines_is_that_of_one(home: Path, other: str, archive: Path, archive_m: Archive) -> None:
    one = with_runs(archive, home / "one.zip", lambda tags: tags["ablate.seed"] == "1")
    two = with_runs(archive, home / "two.zip", lambda tags: tags["ablate.seed"] != "1")
    archive_m("import", two, one, f"uri={other}")
    archive_m("export", f"uri={other}", "out=merged.zip")
    assert (home / "merged.zip").read_bytes() == archive.read_bytes()


@pytest.mark.slow
def test_importing_twice_adds_nothing(home: Path, other: str, archive: Path, archive_m: Archive) -> None:
    assert archive_m("import", archive, f"uri={other}") == f"{archive}: 6 runs of study hand added\n"
    again = archive_m("import", archive, archive, f"uri={other}")
    assert again == f"{archive}: 0 runs of study hand added, 6 were there\n" * 2
    open_store(other, to_read=True)
    assert len(read_study("hand", other).runs) == 6


@pytest.mark.slow
def test_an_archive_without_figures_has_the_pictures_that_a_report_shows(
    hand_made: Path, archive: Path, archive_m: Archive
) -> None:
    figure = hand_made / "drawn.png"
    figure.write_bytes(b"\x89PNG")
    run_id = str(read_study("hand", f"sqlite:///{hand_made}/mlflow.db").runs.index[0])
    mlflow.MlflowClient().log_artifact(run_id, str(figure), "evaluation")
    try:
        archive_m("export", "study=hand", "out=whole.zip")
        archive_m("export", "study=hand", "figures=false", "out=lean.zip")
    finally:
        # Artifacts are those of `filled_store`, which every test of this process has.
        artifacts = local_folder(mlflow.get_run(run_id).info.artifact_uri)
        assert artifacts is not None
        (artifacts / "evaluation" / "drawn.png").unlink()
    drawn = {}
    for name in ("whole", "lean"):
        with opened_archive(hand_made / f"{name}.zip") as opened:
            drawn[name] = {file for run in opened.runs for file in run.files if file.endswith(".png")}
            assert any("evaluation/samples.parquet" in run.tables for run in opened.runs)
    assert drawn == {"whole": {"evaluation/drawn.png"}, "lean": set()}
    assert (hand_made / "lean.zip").read_bytes() == archive.read_bytes()


@pytest.mark.slow
def test_an_archive_without_pictures_has_all_else(
    hand_made: Path, other: str, archive: Path, archive_m: Archive
) -> None:
    archive_m("export", "study=hand", "samples=false", "out=plain.zip")
    assert (hand_made / "plain.zip").stat().st_size < archive.stat().st_size
    archive_m("import", "plain.zip", f"uri={other}")
    archive_m("export", "study=hand", "samples=false", f"uri={other}", "out=again.zip")
    assert (hand_made / "again.zip").read_bytes() == (hand_made / "plain.zip").read_bytes()
    record = read_study("hand", other)
    newest = str(record.runs.index[0])
    assert list(record.samples(newest)) == ["kind", "example", "picture"]
    assert record.samples(newest).empty
    assert len(record.per_example(newest)) == 12
    assert record.readable.all()


@pytest.mark.slow
def test_a_further_part_has_a_file_of_its_own(
    hand_made: Path, archive_m: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    archive_m("export", "study=hand")
    parts = hand_made / "archives"
    first = (parts / "hand.zip").read_bytes()
    add_run(hand_made, ODD, 3, gain=5.0)
    said = archive_m("export", "study=hand", f"without={parts / 'hand.zip'}")
    assert said.startswith(f"1 run of study hand: {parts / 'hand-2.zip'}")
    assert (parts / "hand.zip").read_bytes() == first
    with pytest.raises(SystemExit):
        archive_m("export", "study=hand", f"without={parts / 'hand.zip'}", f"out={parts / 'hand.zip'}")
    assert "would lose its runs" in capsys.readouterr().err
    assert (parts / "hand.zip").read_bytes() == first


def test_no_other_file_is_replaced(
    hand_made: Path, archive: Path, archive_m: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    members = changed(members_of(archive), "manifest.json", lambda values: values.update(study="other"))
    write_members(hand_made / "other.zip", members)
    (hand_made / "notes.txt").write_text("mine")
    (hand_made / "folder").mkdir()
    (hand_made / "old.zip").write_bytes(archive.read_bytes())
    for name in ("other.zip", "notes.txt", "folder"):
        with pytest.raises(SystemExit):
            archive_m("export", "study=hand", f"out={name}")
        error = capsys.readouterr().err
        assert f"{name} is there, and is no archive of study hand: out= must name another file. See" in error
    with pytest.raises(SystemExit):
        archive_m("export", "study=hand", "out=notes.txt/a.zip")
    assert "the archive notes.txt/a.zip cannot be written: Not a directory. See" in capsys.readouterr().err
    archive_m("export", "study=hand", "out=old.zip")
    assert (hand_made / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["exprot"], "unknown command: exprot. Allowed: export, import"),
        (["import"], "import needs at least one archive"),
        (["import", "missing.zip"], "there is no archive missing.zip"),
        (["import", "a.zip", "conflicts=no"], "unknown level: conflicts=no. Allowed: conflicts=keep, conflicts=re"),
        (["export", "study=none"], "has no study none. Its studies: none"),
        (["export"], "there are no runs yet"),
        (["export", "sample=false"], "Did you mean samples?"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], said: str, home: Path, archive_m: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    with pytest.raises(SystemExit):
        archive_m(*arguments)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
