"""Two hundred participants at once, and a server that is killed under some of them."""

import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from ablate.turing.database import Database, Participant, Trial, read_answers
from ablate.turing.protocol import Protocol
from ablate.turing.serve.assignment import SIDES
from ablate.turing.serve.security import Signer, hash_key
from tests.support.bundles import make_bundle
from tests.support.servers import Process
from tests.support.visitors import Visitor, at_once

PARTICIPANTS = 200
KILLED_UNDER, KILLS = 60, 3
SHORTEST = Protocol(practice=1, test=1, checks=1, exposure_ms=100)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def test_a_killed_server_loses_no_confirmed_answer(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue("postgres") if kind == "postgresql" else f"sqlite:///{tmp_path / 'turing.db'}"
    bundle = make_bundle(tmp_path / "drawn", protocol=SHORTEST, side=32)
    process = Process(
        str(bundle.folder), f"database={url}", "sessions_per_minute=100000", "requests_per_minute=100000"
    )
    process.start()
    database = Database(url, create=False)
    visitors = [Visitor(f"http://127.0.0.1:{process.port}/e/drawn/", patient=True) for _ in range(KILLED_UNDER)]
    killed_at = list[int]()

    def killed() -> None:
        """Kill it whenever a quarter of all answers has come."""
        wanted = KILLED_UNDER * SHORTEST.photographs
        for part in range(1, KILLS + 1):
            while sum(len(visitor.confirmed) for visitor in visitors) < wanted * part / (KILLS + 1):
                time.sleep(0.01)
            process.kill()
            killed_at.append(sum(len(visitor.confirmed) for visitor in visitors))
            process.start()

    killer = threading.Thread(target=killed)
    killer.start()
    try:
        errors = at_once(visitors, lambda visitor, number: SIDES[(visitors.index(visitor) // 7 + number) % 2])
        killer.join()
    finally:
        process.kill()
    assert errors == []
    assert not [status for visitor in visitors for status in visitor.statuses if status >= 500]
    assert len(killed_at) == KILLS
    assert killed_at[-1] < KILLED_UNDER * SHORTEST.photographs
    answers = read_answers(database, "drawn")
    kept_choices = [choices(database, visitor) for visitor in visitors]
    database.engine.dispose()
    # Everyone is there once, finished, with as many answers as pairs.
    assert len(answers.participants) == KILLED_UNDER
    assert answers.participants["finished"].notna().all()
    assert answers.participants["algorithm"].value_counts().tolist() == [KILLED_UNDER // 2] * 2
    assert len(answers.trials) == KILLED_UNDER * SHORTEST.photographs
    assert not answers.trials.duplicated(["participant", "number"]).any()
    for visitor, found in zip(visitors, kept_choices, strict=True):
        # The last answer before a kill may be kept without the visitor having heard of it; not the other way round.
        assert visitor.confirmed.items() <= found.items()
        assert len(found) - len(visitor.confirmed) <= KILLS


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def test_a_burst_loses_no_request(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = request.getfixturevalue("postgres") if kind == "postgresql" else f"sqlite:///{tmp_path / 'turing.db'}"
    bundle = make_bundle(tmp_path / "drawn", protocol=SHORTEST, side=32)
    process = Process(
        str(bundle.folder), f"database={url}", "sessions_per_minute=100000", "requests_per_minute=100000"
    )
    process.start()
    # They try nothing again.
    visitors = [Visitor(f"http://127.0.0.1:{process.port}/e/drawn/") for _ in range(PARTICIPANTS)]
    try:
        errors = at_once(visitors, lambda visitor, number: "left")
    finally:
        _, said = process.end(signal.SIGINT)
    assert errors == []
    assert sum((visitor.failures for visitor in visitors), Counter()) == {}
    statuses = sum((visitor.statuses for visitor in visitors), Counter[int]())
    # By participant: the first page, consent; of each pair its page, pictures and answer; that it is shown; the end.
    pairs = SHORTEST.photographs
    assert statuses == {200: PARTICIPANTS * (1 + 3 * pairs), 204: PARTICIPANTS * pairs, 303: PARTICIPANTS * 2}
    assert "locked" not in said


def choices(database: Database, visitor: Visitor) -> dict[int, str]:
    """Return what the database has of a visitor's answers."""
    key = Signer(database.secret()).read("turing-drawn", visitor.cookies["turing-drawn"])
    own = Participant.key == hash_key(key or "")
    with database.reading() as session:
        found = session.execute(select(Trial.number, Trial.choice).join(Participant).where(own)).all()
    return {number: choice for number, choice in found if choice is not None}
