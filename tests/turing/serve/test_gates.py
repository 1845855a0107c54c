"""Gates and the record of devices: off by default, before anything begins; nothing is kept of who is sent away."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from ablate.errors import ConfigError
from ablate.turing.analyse.analysis import analyse
from ablate.turing.analyse.output import terminal_lines
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Device, Experiment, Participant, read_answers
from ablate.turing.device import MeasuredDevice
from ablate.turing.export.codebook import summary
from ablate.turing.serve.command import main as serve_main
from ablate.turing.serve.gates import NO_GATES, OPTIONS, Gates, parse_gates
from ablate.turing.serve.recruiting import Recruiting
from ablate.turing.serve.turned_away import TurnedAwayCounter
from tests.support.browsing import asked, begin, opened
from tests.support.servers import TOKEN, Served
from tests.support.visitors import Visitor
from tests.turing.serve.test_accessibility import violations
from tests.turing.test_device import SENT

ALL = Gates(min_window=(1000, 600), min_pixel_ratio=1.0, max_pixel_ratio=2.0, touch=False, min_refresh_rate=50.0)
RECORD = Recruiting(gates=Gates(record=True))


def device(**change: Any) -> str:
    return json.dumps(SENT | change)


def devices(served: Served) -> list[Device]:
    with served.site.database.reading() as session:
        return list(session.query(Device))


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({}, []), ({"window_width": 1000, "window_height": 600}, []), ({"window_width": 999}, ["min_window"]),
        ({"window_height": 599}, ["min_window"]), ({"screen_width": 100}, []),
        ({"pixel_ratio": 0.9}, ["min_pixel_ratio"]), ({"pixel_ratio": 2.001}, ["max_pixel_ratio"]),
        ({"touch": True}, ["touch"]), ({"refresh_rate": 48.6}, []), ({"refresh_rate": 48.0}, ["min_refresh_rate"]),
        ({"window_width": 300, "touch": True}, ["min_window", "touch"]),
    ],
)  # fmt: skip
def test_who_passes(change: Mapping[str, Any], failed: list[str]) -> None:
    found = MeasuredDevice.model_validate(SENT | change)
    assert ALL.failed(found) == failed
    assert NO_GATES.failed(found) == []


def test_settings() -> None:
    assert parse_gates(OPTIONS) == NO_GATES
    assert not NO_GATES.measures
    given = {
        "device": "record", "min_window": "1000x600", "min_pixel_ratio": "1", "max_pixel_ratio": "2", "touch": "false",
        "min_refresh_rate": "50",
    }  # fmt: skip
    found = parse_gates({**OPTIONS, **given})
    assert found == Gates(True, (1000, 600), 1.0, 2.0, False, 50.0)
    assert found.names == ["min_window", "min_pixel_ratio", "max_pixel_ratio", "touch", "min_refresh_rate"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("device=all", "device must be record, or left out. Received: device=all"),
        ("min_window=1024", "min_window must be WIDTHxHEIGHT in CSS pixels, such as 1024x600"),
        ("min_window=0x600", "min_window must be WIDTHxHEIGHT"),
        ("min_pixel_ratio=0", "min_pixel_ratio must be above 0 and at most 20. Received: min_pixel_ratio=0"),
        ("max_pixel_ratio=nan", "max_pixel_ratio must be above 0"),
        ("max_pixel_ratio=x", "max_pixel_ratio must be a number"),
        ("touch=no", "touch must be true or false"),
        ("min_refresh_rate=1000", "min_refresh_rate must be above 0 and at most 500"),
    ],
)
def test_a_mistake_is_named(bundle: Bundle, tmp_path: Path, option: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        serve_main([str(bundle.folder), f"database=sqlite:///{tmp_path / 'own.db'}", option])


def test_limits_that_nobody_passes_are_named() -> None:
    with pytest.raises(ConfigError, match="min_pixel_ratio=2 is above max_pixel_ratio=1: nobody could begin"):
        parse_gates({**OPTIONS, "min_pixel_ratio": "2", "max_pixel_ratio": "1"})


@pytest.mark.slow
def test_nothing_is_recorded_nor_said_by_default(served: Served) -> None:
    visitor = served.visitor()
    page = visitor.get("./").text
    assert "Nothing about your device is kept." in page
    for never in ("device.js", 'name="device"', "suit this study", "size of your window"):
        assert never not in page
    # Not even where a browser sends it by itself.
    assert visitor.begin(device=device()).status == 303
    assert devices(served) == []


@pytest.mark.slow
def test_a_device_is_recorded_once_where_that_is_asked_for(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=RECORD)
    visitor = served.visitor()
    page = visitor.get("./").text
    assert "the size of your window and screen" in page
    assert "Nothing about your device is kept." not in page
    assert "suit this study" not in page
    for wrong in ("", "x", device(touch=1), device(more=1), "x" * 401):
        assert visitor.begin(device=wrong).status == 422
    assert read_answers(served.site.database, "drawn").participants.empty
    form = {"csrf": visitor.get("./").field("csrf"), "color_vision": "normal", "agree": "yes", "able": "yes"}
    for width in (1200, 700):  # a form sent twice counts once
        assert visitor.post("consent", **form, device=device(window_width=width)).status == 303
    (kept,) = devices(served)
    assert {name: getattr(kept, name) for name in SENT} == SENT
    assert kept.browser == "other"
    answers = read_answers(served.site.database, "drawn")
    assert answers.devices["participant"].tolist() == [1]
    (text,) = answers.consents.values()
    assert "the family of your browser" in text
    visitor.post("withdraw", csrf=visitor.get("withdraw").field("csrf"))
    assert devices(served) == []


@pytest.mark.slow
def test_who_does_not_pass_begins_nothing_and_may_try_again(serve: Callable[..., Served], bundle: Bundle) -> None:
    served = serve(bundle, recruiting=Recruiting("PID", gates=ALL))
    visitor, database = served.visitor(), served.site.database
    assert visitor.post("device", device=device()).status == 403  # without a cookie
    page = visitor.get("./?PID=who").text
    assert "suit this study" in page
    assert "Nothing about your device is kept." in page
    small = device(window_width=300, touch=True)
    assert json.loads(visitor.post("device", device=small).text) == {"failed": ["min_window", "touch"]}
    assert visitor.post("device", device="x").status == 422
    # A form that is sent all the same.
    refused = visitor.begin(query="?PID=who", device=small)
    assert refused.status == 403
    assert "The window must be at least 1000 pixels wide and 600 high." in refused.text
    assert "Please use a computer with a mouse" in refused.text
    assert "renewed at least" not in refused.text
    assert 'href="./?PID=who"' in refused.text
    with database.reading() as session:
        assert session.query(Participant).count() == 0
        assert session.get_one(Experiment, 1).participants == 0
    # It has resized, and used another device.
    assert json.loads(visitor.post("device", device=device()).text) == {"failed": []}
    assert visitor.begin(query="?PID=who", device=device()).status == 303
    assert devices(served) == []
    # Who has begun continues with any.
    assert visitor.get("trial").status == 200
    answers = read_answers(database, "drawn")
    assert answers.turned_away == {"any": 1, "min_window": 1, "touch": 1}
    said = "1 browser (min_window 1, touch 1; one may be in several)"
    assert f"Turned away by gates, before they began: {said}." in summary(answers)
    found = analyse(answers, None)
    assert found.summary["turned_away"] == answers.turned_away
    assert any(said in line for line in terminal_lines(found))
    boss = Visitor(f"{served.address}/experimenter/")
    served.visitors.append(boss)
    boss.post("login", token=TOKEN)
    assert said in boss.get("drawn/").text


def test_a_browser_is_counted_once_a_gate(database: Database, bundle: Bundle) -> None:
    counter = TurnedAwayCounter(database, database.register(bundle, 0.0))
    counter.count("one", ["touch"])
    counter.count("one", ["touch"])
    counter.count("one", ["touch", "min_window"])
    counter.count("two", ["touch"])
    assert read_answers(database, "drawn").turned_away == {"any": 2, "min_window": 1, "touch": 2}


@pytest.mark.slow
@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "telephone"])
def test_a_gate_in_a_browser_that_is_then_passed(
    serve: Callable[..., Served], bundle: Bundle, browser: Browser, touch: bool
) -> None:
    gates = Gates(record=True, min_window=(700, 500), touch=False, min_refresh_rate=1.0)
    served = serve(bundle, recruiting=Recruiting(gates=gates))
    context = browser.new_context(viewport={"width": 320, "height": 256}, has_touch=touch, is_mobile=touch)
    page, complaints = opened(context, f"{served.address}/e/drawn/")
    heading = page.get_by_role("heading", name="This window or screen does not suit this study yet")
    expect(heading).to_be_focused()
    expect(page.get_by_text("The window must be at least 700 pixels wide and 500 high.")).to_be_visible()
    expect(page.get_by_text("Please use a computer with a mouse")).to_be_visible(visible=touch)
    expect(page.get_by_text("The screen must be renewed")).to_be_hidden()
    expect(page.get_by_role("button", name="Begin")).to_be_hidden()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if not touch:
        page.set_viewport_size({"width": 800, "height": 600})
        page.get_by_role("link", name="Try again").click()
        expect(page.get_by_role("button", name="Begin")).to_be_visible()
        begin(page)
        assert asked(page) == 1
        (kept,) = devices(served)
        assert (kept.window_width, kept.window_height, kept.touch, kept.browser) == (800, 600, False, "Chrome")
        assert kept.pixel_ratio == 1
        assert 1 <= kept.refresh_rate <= 500
    with served.site.database.reading() as session:
        assert session.query(Participant).count() == (0 if touch else 1)
    assert complaints == []
    context.close()
