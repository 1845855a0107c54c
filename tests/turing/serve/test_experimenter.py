"""The experimenter's pages: counts, files, closing."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ablate.report.number_format import number
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.bundle import Bundle
from ablate.turing.database import read_answers
from ablate.turing.export.columns import TRIALS
from ablate.turing.serve.enrollment import QUIET_SECONDS
from ablate.turing.serve.progress import progress_by_algorithm
from tests.support.bundles import SHORT, make_bundle
from tests.support.servers import TOKEN, Served
from tests.support.visitors import Visitor


@pytest.fixture
def logged_in(served: Served) -> Visitor:
    visitor = served.visitor(None)
    assert visitor.get("/experimenter").headers["location"] == "experimenter/"
    assert visitor.get("/experimenter/").headers["location"] == "login"
    assert visitor.post("/experimenter/login", token=TOKEN).headers["location"] == "./"
    visitor.base = f"{served.address}/experimenter/"
    return visitor


@pytest.mark.slow
def test_counts_are_those_of_the_answers(served: Served, logged_in: Visitor) -> None:
    assert "drawn" in logged_in.get("./").text
    assert "drawn" in logged_in.get("drawn/").text  # before anybody has begun
    finished = served.visitor()
    finished.take_part(lambda number: "left")
    begun = served.visitor()
    begun.begin()
    begun.judge(lambda number: "right")
    page = logged_in.get("drawn/").text
    answers = read_answers(served.site.database, "drawn")
    kept, _ = apply_rules(answers.participants, answers.trials, answers.protocol)
    now = answers.trials["answered"].max().timestamp() + 1
    rows = {row["algorithm"]: row for row in progress_by_algorithm(answers, kept, now)}
    one, other = (rows[name] for name in answers.participants["algorithm"])
    assert [one[name] for name in ("started", "finished", "under_way", "dropped_out", "trials")] == [1, 1, 0, 0, 4]
    assert [other[name] for name in ("started", "finished", "under_way", "dropped_out", "trials")] == [1, 0, 1, 0, 0]
    assert one["response"] == "0.8"
    tests = answers.trials[answers.trials["kind"] == "test"]
    assert one["rate"] == f"{number(25.0 * tests['fooled'].sum())} (one participant: no interval)"
    assert one["rate"] in page
    late = {row["algorithm"]: row for row in progress_by_algorithm(answers, kept, now + QUIET_SECONDS)}
    assert late[other["algorithm"]]["dropped_out"] == 1
    assert "session not finished" in page


@pytest.mark.slow
def test_answers_come_as_csv_and_parquet(served: Served, logged_in: Visitor) -> None:
    visitor = served.visitor()
    visitor.take_part(lambda number: "left")
    table = pd.read_csv(io.BytesIO(logged_in.get("drawn/trials.csv").body))
    same = pd.read_parquet(io.BytesIO(logged_in.get("drawn/trials.parquet").body))
    assert len(table) == len(same) == SHORT.photographs
    assert table["fooled"].tolist() == same["fooled"].tolist()
    assert list(table) == list(same) == [column.name for column in TRIALS]
    assert table["exclusion"].isna().all()
    unfinished = served.visitor()
    unfinished.begin()
    unfinished.judge(lambda number: "left")
    last = pd.read_csv(io.BytesIO(logged_in.get("drawn/trials.csv").body)).iloc[SHORT.photographs :]
    assert set(last["exclusion"]) == {"not_finished"}
    assert last["choice"].notna().tolist() == [True] + [False] * (SHORT.photographs - 1)
    people = pd.read_csv(io.BytesIO(logged_in.get("drawn/participants.csv").body))
    assert people["algorithm"].tolist()[:1] == table["algorithm"].unique().tolist()
    headers = logged_in.get("drawn/trials.csv").headers
    assert headers["content-disposition"] == 'attachment; filename="drawn-trials.csv"'
    answer = logged_in.get("drawn/data.zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="drawn-data.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert "drawn-data/data/study-drawn_description-trials_data.csv" in archive.namelist()
        inside = archive.read("drawn-data/codebook.json")
    alone = logged_in.get("drawn/codebook.json").body
    assert json.loads(alone)["resources"] == json.loads(inside)["resources"]
    for name in ("data.zip", "codebook.json", "participants/", "participants/1"):
        assert served.visitor(None).get(f"/experimenter/drawn/{name}").status == 303
    assert logged_in.get("drawn/secrets.csv").status == 404
    assert logged_in.get("drawn/trials.exe").status == 404


@pytest.mark.slow
def test_close_and_reopen(served: Served, logged_in: Visitor) -> None:
    assert logged_in.post("drawn/close", csrf="0" * 64).status == 403
    token = logged_in.get("drawn/").field("csrf")
    assert logged_in.post("drawn/close", csrf=token).status == 303
    assert served.sessions().closed
    assert "Reopen" in logged_in.get("drawn/").text
    assert "closed" in logged_in.get("./").text
    assert logged_in.post("drawn/reopen", csrf=token).status == 303
    assert not served.sessions().closed
    assert logged_in.post("drawn/delete", csrf=token).status == 404


@pytest.mark.slow
def test_several_experiments_in_one_server(serve: Callable[..., Served], bundle: Bundle, tmp_path: Path) -> None:
    served = serve(bundle, make_bundle(tmp_path / "other", "other", algorithms=["<i>odd</i>"]))
    visitor = served.visitor(None)
    visitor.post("/experimenter/login", token=TOKEN)
    page = visitor.get("/experimenter/").text
    assert page.index("drawn") < page.index("other")
    assert "&lt;i&gt;odd&lt;/i&gt;" in visitor.get("/experimenter/other/").text
    assert visitor.get("/experimenter/nothing/").status == 404
