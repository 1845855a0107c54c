"""Invitations: links that are good for one participant each, and that nobody can make up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.errors import AblateError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, read_answers
from ablate.turing.invite.command import main
from ablate.turing.serve.command import main as serve_main
from ablate.turing.serve.recruiting import OPTIONS, parse_recruiting
from ablate.turing.serve.security import Signer
from tests.support.servers import Served

INVITED = parse_recruiting({**OPTIONS, "invitations": "true"})


def links(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    main([f"database=sqlite:///{tmp_path / 'turing.db'}", *arguments])
    return capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_a_link_is_good_for_one_participant(
    serve: Callable[..., Served], bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served = serve(bundle, recruiting=INVITED)
    printed = links(tmp_path, capsys, "count=3", f"address={served.address}/")
    assert len(set(printed)) == 3
    assert all(link.startswith(f"{served.address}/e/drawn/?invitation=") for link in printed)
    first, second, _ = (f"?{link.partition('?')[2]}" for link in printed)
    visitor, again, other = (served.visitor() for _ in range(3))
    assert visitor.begin(query=first).status == 303
    visitor.judge(lambda number: "left")
    assert "Continue where you were" in again.get(f"./{first}").text
    assert other.begin(query=second).status == 303
    visitor.post("withdraw", csrf=visitor.get("withdraw").field("csrf"))
    assert "You have withdrawn" in served.visitor().get(f"./{first}").text
    people = read_answers(served.site.database, "drawn", personal=True).participants
    assert people["external_id"].tolist() == [second.partition("=")[2]]


@pytest.mark.slow
def test_nobody_makes_one_up(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=INVITED)
    signer = served.site.signer
    good, elsewhere = signer.new_invitation("drawn"), signer.new_invitation("another")
    foreign = Signer(b"another secret").new_invitation("drawn")
    name, _, signature = good.partition(".")
    for made_up in (name, f"{name}.", f"{name}.{signature[:-1]}", f"{name[:-1]}x.{signature}", f".{signature}",
                    f"{good}.x", elsewhere, foreign, "somebody"):  # fmt: skip
        page = served.visitor().get(f"./?invitation={made_up}")
        assert (page.status, "This link is not complete" in page.text) == (403, True)
    # Nor by the form of one's own link, nor by a cookie of when ids were not signed.
    visitor = served.visitor()
    token = visitor.get(f"./?invitation={good}").field("csrf")
    form = {"csrf": token, "color_vision": "normal", "agree": "yes", "able": "yes"}
    assert visitor.post("consent", **form, external_id="somebody").status == 403
    assert read_answers(served.site.database, "drawn").participants.empty


def test_a_mistake_is_named(
    bundle: Bundle, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AblateError, match="has no experiment yet"):
        links(tmp_path, capsys, "count=1")
    database.register(bundle, 0.0)
    for arguments, said in (
        ([], "how many links"),
        (["count=0"], "count must be a whole number from 1 to 100000"),
        (["count=2", "experiment=other"], "has no experiment other"),
        (["count=1", "address=HOST"], "address must be where it is served, .*Received: address=HOST"),
        (["count=1", "address=https://HOST/?PID=1"], "address must be where it is served"),
    ):
        with pytest.raises(AblateError, match=said):
            links(tmp_path, capsys, *arguments)
    with pytest.raises(AblateError, match="two ways to come"):
        serve_main([str(bundle.folder), "participant_id=PID", "invitations=true"])
    (link,) = links(tmp_path, capsys, "count=1")
    assert link.startswith("http://127.0.0.1:8080/e/drawn/?invitation=")
    (link,) = links(tmp_path, capsys, "count=1", "address=https://HOST/colours/e/drawn/")  # as `serve` prints it
    assert link.startswith("https://HOST/colours/e/drawn/?invitation=")
