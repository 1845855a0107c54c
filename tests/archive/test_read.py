"""Archives that are damaged, or were made to do harm: each is refused whole, in one line."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablate.archive.read import archived_study, opened_archive
from ablate.errors import DataError
from tests.support.archives import Members, changed, members_of, write_members

Change = Callable[[Members], Members]


def refused(file: Path, said: str) -> None:
    with pytest.raises(DataError) as caught, opened_archive(file):
        pass
    message = str(caught.value)
    assert said in message
    assert "\n" not in message


def parquet(**columns: list[object]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def points(*runs: object, **others: object) -> bytes:
    columns = {"key": "a", "timestamp": 0, "step": 0, "value": 0.5, **others}
    return parquet(**{"ablate.run": [*runs], **{name: [value] * len(runs) for name, value in columns.items()}})


def place_of_first_artifact(values: dict[str, list[dict[str, dict[str, str]]]], place: str) -> None:
    files = values["runs"][0]["files"]
    files[place] = files.pop(next(iter(files)))


MANIPULATED: dict[str, tuple[Change, str]] = {
    "a path out of the folder": (lambda members: {**members, "../evil": b""}, "a member '../evil', which no archive"),
    "an absolute path": (lambda members: {**members, "/etc/passwd": b""}, "a member '/etc/passwd'"),
    "a path as Windows has it": (lambda members: {**members, "files\\..\\evil": b""}, "which no archive"),
    "a stranger": (lambda members: {**members, "readme.txt": b""}, "a member 'readme.txt'"),
    "a pickle": (lambda members: {**members, "model.pkl": pickle.dumps(print)}, "a member 'model.pkl'"),
    "no manifest": (
        lambda members: {name: content for name, content in members.items() if name != "manifest.json"},
        "it has no manifest.json",
    ),
    "a manifest that is no JSON": (lambda members: {**members, "manifest.json": b"{"}, "does not say what it is"),
    "a manifest that nests": (lambda members: {**members, "manifest.json": b"[" * 10**6}, "does not say what it is"),
    "another format": (
        lambda members: changed(members, "manifest.json", lambda values: values.update(format="zip")),
        "its format is 'zip', not 'ablate archive'",
    ),
    "a later version": (
        lambda members: changed(members, "manifest.json", lambda values: values.update(version=2, new="")),
        "is of version 2 of the format; this ablate reads up to 1. Install a later one",
    ),
    "a version that is none": (
        lambda members: changed(members, "manifest.json", lambda values: values.update(version="1")),
        "its version is '1', no number from 1",
    ),
    "a version before the first": (
        lambda members: changed(members, "manifest.json", lambda values: values.update(version=0)),
        "its version is '0', no number from 1",
    ),
    "a missing member": (
        lambda members: {name: content for name, content in members.items() if name != "runs.json"},
        "has no member runs.json",
    ),
    "a member too many": (
        lambda members: {**members, f"files/{'0' * 64}": b"x"},
        "has a member that its manifest does not name: files/000",
    ),
    "other contents": (
        lambda members: {**members, "study.json": members["study.json"].replace(b"hand", b"face")},
        "study.json is not what its manifest says",
    ),
    "more contents": (
        lambda members: {**members, "study.json": members["study.json"] + b" "},
        "study.json has not the",
    ),
}
"""Changes that the manifest does not tell of."""


@pytest.mark.parametrize("name", MANIPULATED)
def test_what_was_changed_is_refused(name: str, archive: Path, tmp_path: Path) -> None:
    change, said = MANIPULATED[name]
    refused(write_members(tmp_path / "a.zip", change(members_of(archive)), sealed=False), said)


SEALED: dict[str, tuple[Change, str]] = {
    "an artifact out of the folder": (
        lambda members: changed(members, "runs.json", lambda runs: place_of_first_artifact(runs, "data/../../x")),
        "has an artifact 'data/../../x', which no run has",
    ),
    "an absolute artifact": (
        lambda members: changed(members, "runs.json", lambda runs: place_of_first_artifact(runs, "/tmp/x")),
        "has an artifact '/tmp/x'",
    ),
    "an artifact of another kind": (
        lambda members: changed(members, "runs.json", lambda runs: place_of_first_artifact(runs, "model/data.pkl")),
        "has an artifact 'model/data.pkl'",
    ),
    "an artifact that is not there": (
        lambda members: changed(
            members, "runs.json", lambda runs: runs["runs"][0]["files"].update({"config.yaml": "0" * 64})
        ),
        "the artifact config.yaml of run",
    ),
    "a table that is none": (
        lambda members: changed(
            members,
            "runs.json",
            lambda runs: runs["runs"][0]["tables"].update({"evaluation/x.parquet": "manifest.json"}),
        ),
        "the artifact evaluation/x.parquet of run",
    ),
    "a run twice": (
        lambda members: changed(members, "runs.json", lambda runs: runs["runs"].append(runs["runs"][0])),
        "do not fit together",
    ),
    "an id that is a path": (
        lambda members: changed(members, "runs.json", lambda runs: runs["runs"][0]["run"].update(id="../x")),
        "runs.json is wrong at runs.0.run.id",
    ),
    "an unknown key": (
        lambda members: changed(members, "runs.json", lambda runs: runs["runs"][0]["run"].update(hook="x")),
        "runs.json is wrong at runs.0.run.hook",
    ),
    "a status that is none": (
        lambda members: changed(members, "runs.json", lambda runs: runs["runs"][0]["run"].update(status="x")),
        "runs.json is wrong at runs.0.run.status",
    ),
    "another study": (
        lambda members: changed(members, "study.json", lambda study: study.update(name="other")),
        "do not fit together",
    ),
    "no metrics": (
        lambda members: {name: content for name, content in members.items() if name != "metrics.parquet"},
        "do not fit together",
    ),
    "metrics that are no Parquet": (lambda members: {**members, "metrics.parquet": b"PAR1"}, "cannot be used"),
    "metrics without runs": (
        lambda members: {**members, "metrics.parquet": parquet(key=["a"])},
        "no column ablate.run",
    ),
    "rows of a stranger": (
        lambda members: {
            **members,
            "metrics.parquet": points("x"),
        },
        "has rows of a run 'x' that it does not have",
    ),
    "rows of nobody": (lambda members: {**members, "metrics.parquet": points("x", None)}, "no column ablate.run that"),
    "rows of numbers": (lambda members: {**members, "metrics.parquet": points(1)}, "no column ablate.run that"),
    "a value that is no number": (lambda members: {**members, "metrics.parquet": points("x", value="high")}, "high"),
    "a value that is a list": (lambda members: {**members, "metrics.parquet": points("x", value=[0.5])}, "list"),
    "a step that is missing": (
        lambda members: {**members, "metrics.parquet": points("x", step=None)},
        "lacks its name, time or step",
    ),
    "a column too many": (
        lambda members: {**members, "metrics.parquet": points("x", hook="x")},
        "metrics have the columns key, timestamp, step, value, hook",
    ),
    "a time that no calendar has": (
        lambda members: changed(members, "runs.json", lambda runs: runs["runs"][0]["run"].update(started=2**62)),
        "runs.json is wrong at runs.0.run.started",
    ),
    "a definition that nests": (
        lambda members: changed(
            members, "study.json", lambda study: study["tags"].update({"ablate.definition": "[" * 5000})
        ),
        "study.json has YAML that cannot be read: it nests too deeply",
    ),
    "a variant that controls terminals": (
        lambda members: changed(
            members,
            "runs.json",
            lambda runs: runs["runs"][0]["run"]["tags"].update({"ablate.variant": "\x1b]0;\x07"}),
        ),
        "has a variant with characters that control terminals",
    ),
    "a variant that overwrites its line": (
        lambda members: changed(
            members,
            "runs.json",
            lambda runs: runs["runs"][0]["run"]["tags"].update({"ablate.variant": "a\rb"}),
        ),
        "has a variant with characters that control terminals",
    ),
    "rows apart": (
        lambda members: {
            **members,
            "metrics.parquet": points("x", "y", "x"),
        },
        "the rows of a run are apart",
    ),
}
"""Changes by somebody who writes the manifest anew."""


@pytest.mark.parametrize("name", SEALED)
def test_what_was_made_to_do_harm_is_refused(name: str, archive: Path, tmp_path: Path) -> None:
    change, said = SEALED[name]
    refused(write_members(tmp_path / "a.zip", change(members_of(archive))), said)


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"PK", b"no zip" * 100):
        (tmp_path / "a.zip").write_bytes(content)
        refused(tmp_path / "a.zip", "File is not a zip file")
    refused(tmp_path / "missing.zip", "there is no archive")


def test_of_a_device_or_a_folder_nothing_is_read(tmp_path: Path) -> None:
    for place in (Path("/dev/zero"), tmp_path):
        refused(place, "cannot be read: it is no file")
        assert archived_study(place) is None


def test_a_link_a_duplicate_and_an_encrypted_member_are_refused(archive: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo(f"files/{'0' * 64}")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
    refused(tmp_path / "link.zip", "which no archive of a study has")
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as made:
        made.writestr("study.json", "a")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("study.json", "b")
    refused(tmp_path / "twice.zip", "it has two members study.json")
    with zipfile.ZipFile(tmp_path / "lzma.zip", "w", zipfile.ZIP_LZMA) as made:
        made.writestr("manifest.json", members_of(archive)["manifest.json"])
    refused(tmp_path / "lzma.zip", "manifest.json is compressed in a way that no archive")
    content = bytearray(archive.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(content)
    refused(tmp_path / "locked.zip", "is encrypted")


def test_bombs_are_refused_by_what_they_declare_and_by_what_they_are(archive: Path, tmp_path: Path) -> None:
    bomb = {**members_of(archive), f"files/{'0' * 64}": bytes(2**28)}
    refused(write_members(tmp_path / "bomb.zip", bomb), "its contents are 268,")
    # One that says that it is small: no more is written than it says.
    small = {**members_of(archive), f"files/{'0' * 64}": bytes(2**24)}
    content = bytearray(write_members(tmp_path / "small.zip", small).read_bytes())
    for place in (content.rindex(b"files/" + b"0" * 64), content.index(b"files/" + b"0" * 64)):
        entry = content.rindex(b"PK", 0, place)
        offset = 24 if content[entry + 2 : entry + 4] == b"\x01\x02" else 22
        content[entry + offset : entry + offset + 4] = struct.pack("<I", 1)
    (tmp_path / "lies.zip").write_bytes(content)
    refused(tmp_path / "lies.zip", "cannot be used")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_damage_gets_through(archive: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A file that was cut, or of which a byte is another: refused, or what it was."""
    whole = archive.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    damaged = whole[:place] if cut else whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
    file = tmp_path_factory.mktemp("damaged") / "a.zip"
    file.write_bytes(damaged)
    try:
        with opened_archive(file) as opened, opened_archive(archive) as before:
            assert opened.runs == before.runs
            assert opened.study == before.study
            for each in opened.runs:
                pd.testing.assert_frame_equal(opened.metrics(each.run.id), before.metrics(each.run.id))
    except DataError:
        pass


def test_an_archive_is_what_its_documentation_says(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        runs = {each["run"]["id"]: each["run"] for each in json.load(opened.open("runs.json"))["runs"]}
        scores = pd.read_parquet(io.BytesIO(opened.read("tables/per_example.parquet")))
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert list(scores) == ["ablate.run", "example", "digest", "auc", "rmse", "color"]
    assert set(scores["ablate.run"]) == runs.keys()
    assert {run["tags"]["ablate.variant"] for run in runs.values()} == {"baseline", "loss=<i>odd</i>"}
