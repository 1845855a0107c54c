"""Attacks of somebody who wants answers, pictures or the experimenter's page that are not theirs."""

import base64
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer
from sqlalchemy import inspect, select

from ablate.errors import ConfigError
from ablate.turing.bundle import PICTURES, Bundle
from ablate.turing.database import Database, Experiment, Participant, read_answers
from ablate.turing.database.tables import Base
from ablate.turing.serve.app import MAX_BODY
from ablate.turing.serve.command import main as serve_main
from ablate.turing.serve.command import server
from ablate.turing.serve.enrollment import Newcomer
from ablate.turing.serve.security import Signer, equal_secrets
from ablate.turing.serve.sessions import Sessions
from tests.support.bundles import SHORT
from tests.support.servers import TOKEN, Served, free_port, running
from tests.support.visitors import Visitor

COOKIE = "turing-drawn"


def begun(served: Served) -> tuple[Visitor, str]:
    """Return a visitor who has seen the first pair, and its form's token."""
    visitor = served.visitor()
    visitor.begin()
    return visitor, visitor.look().field("csrf")


def answers(served: Served) -> int:
    return len(read_answers(served.site.database, "drawn").trials)


@pytest.mark.slow
def test_a_session_cannot_be_made_up(served: Served) -> None:
    visitor, token = begun(served)
    own = visitor.cookies[COOKIE]
    forged = [
        URLSafeSerializer(b"another secret", salt=COOKIE).dumps("somebody"),
        own[:-5] + ("A" if own[-5] != "A" else "B") + own[-4:],  # the last one has bits that do not count
        served.site.signer.sign("turing-other", "somebody"),  # signed for another experiment
        "",
        "x" * 3000,
    ]
    for cookie in forged:
        visitor.cookies[COOKIE] = cookie
        assert visitor.get("trial").status == 403
        assert visitor.post("pair", csrf=token, number=1).status == 403
        assert visitor.post("answer", csrf=token, number=1, choice="left").status == 403
    assert answers(served) == 0


@pytest.mark.slow
def test_a_form_of_another_page_or_session_is_refused(served: Served) -> None:
    visitor, _ = begun(served)
    _, foreign = begun(served)
    for token in (foreign, "", "0" * 64):
        assert visitor.post("answer", csrf=token, number=1, choice="left").status in (403, 422)
        for place in ("pair", "shown"):
            assert visitor.post(place, csrf=token, number=1).status in (403, 422)
    fresh = served.visitor()
    fresh.get("./")
    assert fresh.post("consent", csrf=foreign, color_vision="normal", agree="yes", able="yes").status == 403
    assert answers(served) == 0
    # And the browser sends no cookie along with another site's form.
    assert "samesite=lax" in served.visitor().get("./").headers["set-cookie"].lower()


@pytest.mark.slow
def test_an_answer_that_is_sent_again_counts_once(served: Served) -> None:
    visitor, token = begun(served)
    for choice in ("left", "right", "left"):
        assert visitor.post("answer", csrf=token, number=1, choice=choice).status == 200
    (row,) = read_answers(served.site.database, "drawn").trials.to_dict("records")
    first = served.visitor()
    first.cookies = visitor.cookies
    assert first.post("answer", csrf=token, number=3, choice="left").status == 409
    assert row["number"] == 1
    assert answers(served) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "form",
    [
        {"choice": "middle"},
        {"choice": "left", "number": 0},
        {"choice": "left", "number": "1e3"},
        {"choice": "left", "number": 10**30},
        {"choice": "left", "response_ms": "nan"},
        {"choice": "left", "response_ms": "-1"},
        {"choice": "left", "exposure_ms": "inf"},
        {"choice": "left", "real_side": "left"},
        {"choice": ""},
        {},
    ],
)
def test_a_changed_form_is_refused(served: Served, form: dict[str, object]) -> None:
    visitor, token = begun(served)
    assert visitor.post("answer", **{"csrf": token, "number": 1, **form}).status == 422
    assert answers(served) == 0


@pytest.mark.slow
def test_the_side_is_the_servers_to_know(served: Served) -> None:
    visitor, token = begun(served)
    page = visitor.get("trial").text
    # Whatever says which is real is in neither page, nor addresses, nor script.
    for word in ("real", "recolored", "check", "baseline", "regression", "photo", ".png"):
        assert word not in page
    visitor.post("answer", csrf=token, number=1, choice="left", response_ms=1)
    assert "real_side" not in visitor.get("trial").text


def test_the_seed_cannot_be_known_from_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    seeds = set()
    for number in range(3):
        database = Database(f"sqlite:///{tmp_path / f'{number}.db'}")
        database.register(bundle, 1.0)
        with database.reading() as session:
            seeds.update(session.scalars(select(Experiment.seed)))
        database.engine.dispose()
    assert len(seeds) == 3
    assert bundle.manifest.seed not in seeds


@pytest.mark.slow
def test_pictures_come_together_and_without_names(served: Served, bundle: Bundle) -> None:
    visitor = served.visitor()
    visitor.begin()
    known = {bundle.picture(file) for file in bundle.manifest.files}
    for number in range(1, SHORT.photographs + 1):
        token = visitor.get("trial").field("csrf")
        sent = visitor.post("pair", csrf=token, number=number)
        assert not {"etag", "last-modified", "content-disposition", "server"}.intersection(sent.headers)
        pair = json.loads(sent.body)
        assert list(pair) == ["left", "right"]
        for address in pair.values():
            start, _, content = address.partition(",")
            assert start == "data:image/png;base64"
            assert base64.b64decode(content) in known
        visitor.judge(lambda number: "left")


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [
        "picture/1/..%2f..%2fmanifest.json",
        "picture/../../manifest.json/left",
        "picture/1/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "picture/-1/left",
        "picture/1/left%00.png",
        "../../../../etc/passwd",
        "../../static/style.css",
        "../../style.css%2f..%2f..%2fapp.py",
        "picture/1/left/../../../manifest.json",
    ],
)
def test_no_address_reads_a_file(served: Served, place: str) -> None:
    visitor, _ = begun(served)
    # As it stands, not as a browser would tidy it up.
    visitor.base = f"{served.address}/"
    answer = visitor.request("GET", f"//e/drawn/{place}".replace("//", "/", 1))
    raw = visitor.request("GET", "/e/drawn/" + place.replace("../", "%2e%2e/"))
    for each in (answer, raw):
        assert each.status in (404, 422)
        assert b"version" not in each.body
        assert b"root:" not in each.body


def test_large_and_malformed_bodies_are_refused_and_the_server_goes_on(served: Served) -> None:
    visitor, token = begun(served)
    huge = b"csrf=" + b"x" * (MAX_BODY + 1)
    assert visitor.request("POST", "answer", huge).status == 413
    assert visitor.request("POST", "consent", huge).status == 413
    chunked = {"Transfer-Encoding": "chunked"}
    assert visitor.request("POST", "answer", b"%x\r\n%s\r\n0\r\n\r\n" % (len(huge), huge), chunked).status == 413
    bad = [
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"csrf=%ZZ&number=1", "application/x-www-form-urlencoded"),
    ]
    for body, kind in bad:
        assert visitor.request("POST", "answer", body, {"Content-Type": kind}).status in (400, 403, 422)
    assert visitor.post("answer", csrf=token, number=1, choice="left").status == 200
    assert answers(served) == 1


def test_a_token_can_be_guessed_five_times_a_minute(served: Served) -> None:
    guesser = served.visitor(None)
    page = guesser.post("/experimenter/login", token="wrong")
    assert page.status == 403
    assert "not the token" in page.text
    statuses = [guesser.post("/experimenter/login", token=f"wrong {number}").status for number in range(6)]
    assert statuses == [403] * 4 + [429] * 2
    # Who knows it is not kept out.
    assert guesser.post("/experimenter/login", token=TOKEN).status == 303


def test_a_log_in_ends_with_its_token(served: Served) -> None:
    visitor = served.visitor(None)
    visitor.post("/experimenter/login", token=TOKEN)
    assert visitor.get("/experimenter/").status == 200
    # The same database, and so the same secret, with another token.
    changed = dataclasses.replace(served.site, token="another token than before")
    port = free_port()
    with running(server(changed, host="127.0.0.1", port=port, proxies="")):
        later = Visitor(f"http://127.0.0.1:{port}/", cookies=dict(visitor.cookies))
        assert later.get("/experimenter/").status == 303
        later.post("/experimenter/login", token="another token than before")
        assert later.get("/experimenter/").status == 200
        later.close()


def test_who_logs_out_is_out_with_every_copy_of_the_cookie(served: Served) -> None:
    visitor, other = served.visitor(None), served.visitor(None)
    for each in (visitor, other):
        each.post("/experimenter/login", token=TOKEN)
    copied = dict(visitor.cookies)
    page = visitor.get("/experimenter/")
    assert visitor.post("/experimenter/logout", csrf="0" * 64).status == 403
    assert visitor.post("/experimenter/logout", csrf=page.field("csrf")).headers["location"] == "login"
    assert visitor.get("/experimenter/").status == 303
    visitor.cookies = copied
    assert visitor.get("/experimenter/").status == 303
    assert other.get("/experimenter/").status == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_picture_that_is_changed_meanwhile_is_not_sent(served: Served, bundle: Bundle, when: str) -> None:
    visitor = served.visitor()
    visitor.begin()
    token = visitor.get("trial").field("csrf")
    if when == "after":  # it was sent before, as it was
        assert visitor.post("pair", csrf=token, number=1).status == 200
    for picture in (bundle.folder / PICTURES).iterdir():
        picture.write_bytes(picture.read_bytes()[:-1] + b"x")
    sent = visitor.post("pair", csrf=token, number=1)
    assert sent.status == 500
    assert b"data:image" not in sent.body.split(b"</head>")[-1]


@pytest.mark.slow
def test_without_the_token_there_is_no_experimenters_page(served: Served) -> None:
    visitor = served.visitor(None)
    pages = ["", "drawn/", "drawn/trials.csv", "drawn/trials.parquet", "drawn/participants.csv"]
    participant, _ = begun(served)
    forged = [
        {},
        {"turing-experimenter": URLSafeSerializer(b"x", salt="turing-experimenter").dumps("k 99999999999")},
        {"turing-experimenter": participant.cookies[COOKIE]},
        {"turing-experimenter": served.site.signer.sign("turing-experimenter", f"key {time.time() - 50_000:.0f}")},
    ]
    for cookies in forged:
        visitor.cookies = dict(cookies)
        for place in pages:
            answer = visitor.get(f"/experimenter/{place}")
            assert answer.status == 303
            assert answer.headers["location"].endswith("login")
        assert visitor.post("/experimenter/drawn/close", csrf="x").status == 303
    assert not served.sessions().closed


@pytest.mark.slow
def test_one_address_makes_so_many_sessions_and_one_session_so_many_requests(
    serve: Callable[..., Served], bundle: Bundle
) -> None:
    served = serve(bundle, limits={"sessions": 3, "requests": 5})
    statuses = [served.visitor().begin().status for _ in range(4)]
    assert statuses == [303, 303, 303, 429]
    visitor = served.visitors[0]
    assert [visitor.get("trial").status for _ in range(7)] == [200] * 5 + [429] * 2
    assert served.visitors[1].get("trial").status == 200


def test_every_answer_forbids_what_pages_do_not_need(served: Served) -> None:
    visitor, _ = begun(served)
    for place in ("./", "trial", "cookie", "picture/1/left", "nothing", "../../experimenter/login", "../../style.css"):
        assert visitor.request("HEAD", place).status == visitor.get(place).status
        headers = visitor.get(place).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == ("max-age=300" if place.endswith("css") else "no-store")
    assert visitor.request("TRACE", "./").status == 405


def test_cookies_are_secure_where_the_browser_came_by_https(served: Served) -> None:
    visitor = served.visitor()
    assert "secure" not in visitor.get("./").headers["set-cookie"].lower()
    visitor.cookies = {}
    through = visitor.request("GET", "./", headers={"X-Forwarded-Proto": "https"})
    assert "secure" in through.headers["set-cookie"].lower()


def test_nothing_personal_is_kept(database: Database) -> None:
    tables = inspect(database.engine)
    columns = {column["name"] for table in Base.metadata.tables for column in tables.get_columns(table)}
    assert not {"address", "ip", "host", "agent", "user_agent", "name_of_participant", "email"}.intersection(columns)
    assert {column["name"] for column in tables.get_columns("participants")} == {
        "id", "experiment_id", "key", "place", "algorithm", "color_vision", "started", "finished", "consent",
        "external_id", "screened_out", "comment",
    }  # fmt: skip


def test_whoever_reads_the_database_has_no_session(served: Served) -> None:
    visitor, _ = begun(served)
    key = served.site.signer.read(COOKIE, visitor.cookies[COOKIE])
    with served.site.database.reading() as session:
        (kept,) = [each.key for each in session.query(Participant)]
    assert key is not None
    assert kept != key
    assert key not in kept


def test_secrets_are_compared_whole() -> None:
    assert equal_secrets("äß token", "äß token")
    assert not equal_secrets("token", "token ")
    assert not equal_secrets("", "token")
    signer = Signer(b"secret")
    assert signer.read("purpose", signer.sign("purpose", "value")) == "value"
    assert signer.read("other", signer.sign("purpose", "value")) is None
    assert signer.is_form_token("key", signer.form_token("key"))
    assert not signer.is_form_token("key", signer.form_token("other"))


def test_a_short_token_is_refused(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_TURING_TOKEN", "short")
    with pytest.raises(ConfigError, match="at least 16 characters"):
        serve_main([str(bundle.folder), f"database=sqlite:///{tmp_path / 'other.db'}"])


@pytest.mark.slow
def test_a_changed_picture_is_not_served(bundle: Bundle, tmp_path: Path) -> None:
    picture = next((bundle.folder / PICTURES).iterdir())
    picture.write_bytes(picture.read_bytes()[:-1] + b"x")
    command = [sys.executable, "-m", "ablate.turing", "serve", str(bundle.folder)]
    ended = subprocess.run(
        [*command, f"database=sqlite:///{tmp_path / 'other.db'}"],
        capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert ended.returncode == 1
    assert "was changed after the bundle was built" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_keys_that_collide_belong_to_one_session(served: Served) -> None:
    sessions: Sessions = served.sessions()
    one = sessions.begin(Newcomer("a" * 64, "normal"))
    other = sessions.begin(Newcomer("a" * 64, "deficient"))
    assert one.participant.id == other.participant.id
    assert other.participant.color_vision == "normal"
