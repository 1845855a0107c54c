"""The preview: all of an experiment can be tried, and nothing of that counts anywhere."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from ablate.turing.bundle import Bundle
from ablate.turing.database import Experiment, Participant, read_answers
from ablate.turing.serve.preview import preview_name
from ablate.turing.serve.recruiting import Exit, Recruiting
from tests.support.browsing import asked, begin
from tests.support.bundles import BRIEF, SHORT
from tests.support.servers import TOKEN, Served
from tests.support.visitors import Visitor

WAYS = Recruiting("PID", Exit(code="SECRET-C0DE"), finished_per_algorithm=1)


def left(number: int) -> str:
    return "left"


def previewing(served: Served) -> Visitor:
    visitor = served.visitor(preview_name(served.site.signer, "drawn"))
    visitor.patient = True
    return visitor


@pytest.mark.slow
def test_a_preview_is_the_whole_of_it_and_counts_nowhere(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=WAYS)
    # More people than are wanted, and without an id.
    for _ in range(3):
        visitor = previewing(served)
        page = visitor.get("./").text
        assert "Preview: nothing counts" in page
        assert "The link that you came by has an id" in page
        visitor.take_part(left)
        assert sorted(visitor.confirmed) == list(range(1, SHORT.photographs + 1))
        thanks = visitor.get("thanks").text
        assert "Thank you" in thanks
        # Who is only shown it does not learn the code that is paid for.
        assert "<code>PREVIEW</code>" in thanks
        assert "SECRET-C0DE" not in thanks
    answers = read_answers(served.site.database, "drawn")
    assert answers.participants.empty
    assert answers.trials.empty
    assert answers.consents == {}
    with served.site.database.reading() as session:
        assert session.query(Participant).count() == 0
        assert session.query(Experiment).one().participants == 0
    assert served.sessions().counts()["started"] == 0
    assert not served.sessions().full
    # Closed for participants, it can still be looked at.
    served.sessions().set_closed(True)
    assert previewing(served).begin().status == 303


def test_only_who_is_given_the_address_finds_it(served: Served) -> None:
    name = preview_name(served.site.signer, "drawn")
    assert len(name.removeprefix("drawn~")) == 24
    visitor = served.visitor(None)
    for other in ("drawn~", f"drawn~{'0' * 24}", name[:-1], f"other~{name.partition('~')[2]}"):
        assert visitor.get(f"/e/{other}/").status == 404
        assert visitor.get(f"/e/{other}").status == 404
    assert visitor.get(f"/e/{name}").headers["location"] == f"{name}/"
    assert "Preview" not in served.visitor().get("./").text
    # It is no experiment of the experimenter's pages.
    visitor.post("/experimenter/login", token=TOKEN)
    visitor.base = f"{served.address}/experimenter/"
    assert f'href="../../e/{name}/"' in visitor.get("drawn/").text
    assert visitor.get(f"{name}/").status == 404
    assert name not in visitor.get("./").text


@pytest.mark.slow
def test_a_session_of_the_preview_is_none_of_the_experiment(served: Served) -> None:
    visitor = previewing(served)
    visitor.begin()
    cookie = visitor.cookies[f"turing-{preview_name(served.site.signer, 'drawn')}"]
    guest = served.visitor()
    guest.cookies = {"turing-drawn": cookie}
    assert guest.get("trial").status == 403


@pytest.mark.slow
def test_a_preview_in_a_browser(brief: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 320, "height": 256})
    page.goto(f"{brief.address}/e/{preview_name(brief.site.signer, 'drawn')}/")
    begin(page)
    for number in range(1, BRIEF.photographs + 1):
        assert asked(page) == number
        banner = page.get_by_text("Preview: nothing counts")
        expect(banner).to_be_visible()
        page.keyboard.press("ArrowLeft")
        if number <= BRIEF.practice:
            page.locator("a.button").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert read_answers(brief.site.database, "drawn").participants.empty
