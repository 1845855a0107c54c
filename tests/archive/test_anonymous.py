"""Anonymous archives: nothing in them says who ran it, where, and in which folders."""

import getpass
import json
import os
import socket
from pathlib import Path

import pytest

from ablate.archive.anonymous import anonymous_file, without_places
from ablate.archive.transfer import export_study
from ablate.tracking.run import track
from tests.support.archives import members_of
from tests.support.stores import DATA, PHOTOGRAPHS


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/me/photographs", ".../photographs"),
        ("python -m ablate.run data.root=/home/me/a-b/set_1 -m", "python -m ablate.run data.root=.../set_1 -m"),
        ("'/mnt/x y/z'", "'.../x y/z'"),
        ("sqlite:////home/me/mlflow.db", ".../mlflow.db"),
        ("file:///home/me/x", ".../x"),
        ("root: /a/b\nother: /c/d", "root: .../b\nother: .../d"),
        ('{"tags": {"source": "/a/b"}}', '{"tags": {"source": ".../b"}}'),
    ],
)
def test_of_a_path_its_last_part_is_left(text: str, left: str) -> None:
    assert without_places(text) == left


@pytest.mark.parametrize(
    "text", ["", "0.003", "loss=<i>odd</i>", "1/2", "a/b/c", "/", "https://image-net.org/a/b", "../a/b", "~/a/b"]
)
def test_what_names_no_place_stays(text: str) -> None:
    assert without_places(text) == text


def test_uncommitted_changes_are_left_out_and_other_files_stay() -> None:
    assert anonymous_file("provenance/uncommitted.diff", b"+x") is None
    assert anonymous_file("provenance/code.json", b'{"a": 1}') == b'{"a": 1}'
    assert anonymous_file("evaluation/x.png", b"/a/b") == b"/a/b"
    assert anonymous_file("config.yaml", b"tracking:\n  uri: http://server\n") == b"tracking:\n  uri: ...\n"


def test_an_anonymous_archive_names_neither_people_nor_places(hand_made: Path) -> None:
    tags = {"study": "hand", "variant": "baseline", "seed": "7", "identity": "i", "setting": "s"}
    given = {f"ablate.{name}": value for name, value in tags.items()}
    given["ablate.command"] = f"ablate run data.root={hand_made}/photographs"
    with track(study="hand", name="x", tags=given, project=hand_made) as run:
        run.log_config({"seed": 7, "data": {"root": str(hand_made)}, "tracking": {"uri": "http://secret:5000"}})
        run.log_data(DATA)
        run.log_provenance(hand_made, {"devices": "cpu"})
    uri = os.environ["MLFLOW_TRACKING_URI"]
    export_study("hand", uri, hand_made / "open.zip")
    export_study("hand", uri, hand_made / "anonymous.zip", anonymous=True)
    private = (socket.gethostname(), str(hand_made), str(hand_made.parent), "secret", "uncommitted.diff")
    public, anonymous = (b"".join(members_of(hand_made / name).values()) for name in ("open.zip", "anonymous.zip"))
    assert str(hand_made).encode() in public
    for word in private:
        assert word.encode() not in anonymous
    runs = json.loads(members_of(hand_made / "anonymous.zip")["runs.json"])["runs"]
    assert {"mlflow.user", "mlflow.source.name"}.isdisjoint(runs[0]["run"]["tags"])
    assert f'"{getpass.getuser()}"'.encode() not in anonymous
    assert PHOTOGRAPHS[0].encode() in anonymous
