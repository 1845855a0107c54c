"""The layout of the pages: what is asked stays in sight, on small screens, at large zoom, and from right to left."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Request, expect

from ablate.turing.bundle import Bundle
from ablate.turing.database import read_answers
from ablate.turing.protocol import Protocol
from ablate.turing.serve.recruiting import Exit, Recruiting
from tests.support.browsing import asked, begin, choices, opened, sides
from tests.support.bundles import BRIEF, SHORT, make_bundle
from tests.support.own_questions import OWN, own_questions
from tests.support.servers import TOKEN, Served

SIZES = {
    "desktop": (1280, 1024, 256),
    "telephone": (390, 844, 160),
    "held across": (667, 375, 160),
    "zoom of 400 %": (320, 256, 120),
    "smallest telephone": (280, 480, 110),
    "smallest held across": (480, 280, 140),
}
"""Of windows: width, height, and how large each picture is at least."""

IN_SIGHT = """
element => {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const points = [[left + 3, top + 3], [right - 3, top + 3], [left + 3, bottom - 3], [right - 3, bottom - 3]];
  return points.every(([x, y]) => { const on = document.elementFromPoint(x, y); return on && element.contains(on); });
}
"""
"""Whether all corners of something are in the window, and nothing lies over them."""

SEEN = (
    """
  const look = () => {
    const images = [...document.querySelectorAll(".frame img")];
    if (images.length) {
      const [left, right] = images.map(image => image.getBoundingClientRect());
      const cross = document.querySelector(".cross").getBoundingClientRect();
      window.pair = { sight: images.every("""
    + IN_SIGHT.strip()
    + """), left: left.right <= cross.left, right: cross.right <= right.left,
        side: [left.width, left.height, right.width, right.height], top: left.top === right.top };
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""
)
"""Keeps how the pair lay when it was shown."""

SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
"""As WCAG 1.4.12 has it; the space between paragraphs only makes pages longer."""


def in_sight(part: Locator) -> bool:
    """Return whether something is, or soon comes, in sight: a page that has just opened may still scroll."""
    try:
        part.page.wait_for_function(IN_SIGHT, arg=part.element_handle())
    except Error:
        return False
    return True


def fits_across(page: Page) -> bool:
    """Return whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_session_has_all_in_sight(brief: Served, browser: Browser, size: str) -> None:
    width, height, least = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    page, complaints = opened(context, f"{brief.address}/e/drawn/")
    page.add_init_script(SEEN)
    assert fits_across(page)
    begin(page)
    for number, side in zip(range(1, BRIEF.photographs + 1), sides(), strict=False):
        assert asked(page) == number
        pair = page.evaluate("window.pair")
        assert pair["sight"]
        assert pair["left"]  # of the cross
        assert pair["right"]
        assert pair["top"]
        assert max(pair["side"]) - min(pair["side"]) < 0.1
        assert min(pair["side"]) >= least
        assert max(pair["side"]) <= 256
        assert fits_across(page)
        for part in ("#said", "button[value=left]", "button[value=right]", ".help"):
            assert in_sight(page.locator(part)), part
        page.locator(f"button[value={side}]").click()
        if number <= BRIEF.practice:
            verdict, onward = page.locator(".verdict"), page.locator("a.button")
            expect(onward).to_be_focused()
            assert in_sight(verdict)
            assert in_sight(onward)
            assert all(map(in_sight, page.locator("figure img").all()))
            assert fits_across(page)
            assert page.title().startswith(verdict.inner_text())
            onward.click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert complaints == []
    context.close()


@pytest.mark.slow
def test_large_and_spaced_text_hides_nothing(served: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 667, "height": 375})
    context.add_init_script(
        f"addEventListener('DOMContentLoaded', () => {{ const sheet = new CSSStyleSheet(); sheet.replaceSync(`{SPACED}"
        " html { font-size: 200% !important; }`); document.adoptedStyleSheets = [sheet]; });"
    )
    page, _ = opened(context, f"{served.address}/e/drawn/")
    page.add_init_script(SEEN)
    begin(page)
    asked(page)
    assert page.evaluate("window.pair.sight")
    assert fits_across(page)
    assert in_sight(page.locator("#said"))
    page.reload()
    asked(page)
    # Three buttons, by keyboard: what has the focus is in sight.
    for name in ("Left", "Right", "I did not see it"):
        page.keyboard.press("Tab")
        button = page.get_by_role("button", name=name)
        expect(button).to_be_focused()
        box = button.bounding_box()
        assert box is not None
        assert box["y"] < 375
        assert button.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.get_by_role("button", name="Left").click()
    expect(page.locator("a.button")).to_be_focused()
    assert in_sight(page.locator(".verdict"))
    assert in_sight(page.locator("a.button"))
    assert fits_across(page)
    context.close()


@pytest.mark.slow
def test_from_right_to_left_the_sides_of_pictures_stay(
    serve: Callable[..., Served], bundle: Bundle, tmp_path: Path, browser: Browser
) -> None:
    texts = tmp_path / "ar.yaml"
    texts.write_text("language: ar\ntrial: {left: يسار, right: يمين, question: أيهما المزيف؟}", encoding="utf-8")
    served = serve(bundle, texts=texts)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page, complaints = opened(context, f"{served.address}/e/drawn/")
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.locator("html").get_attribute("lang") == "ar"
    radio, label = page.locator("input[type=radio]").first, page.locator("fieldset label").first
    boxes = [radio.bounding_box(), label.bounding_box()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] + boxes[0]["width"] == boxes[1]["x"] + boxes[1]["width"]
    begin(page)
    asked(page)
    left, right = (page.get_by_role("button", name=name).bounding_box() for name in ("يسار", "يمين"))
    assert left is not None
    assert right is not None
    assert left["x"] < right["x"]
    # Its arrow, too, chooses the side that it points to.
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".verdict")).to_be_visible()
    assert choices(served) == {1: "left"}
    shown, shown_right = (page.locator(f"img[src$='/{side}']").bounding_box() for side in ("left", "right"))
    assert shown is not None
    assert shown_right is not None
    assert shown["x"] < shown_right["x"]
    # The experimenter's pages are English.
    page.goto(f"{served.address}/experimenter/")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    for place in ("", "drawn/", "drawn/participants/", "drawn/participants/1"):
        page.goto(f"{served.address}/experimenter/{place}")
        assert page.locator("html").get_attribute("lang") == "en", place
        assert page.locator("html").get_attribute("dir") == "ltr", place
    assert complaints == []
    context.close()


@pytest.mark.slow
def test_forced_colours_leave_buttons_and_frames_their_edges(served: Served, browser: Browser) -> None:
    context = browser.new_context(forced_colors="active", reduced_motion="reduce")
    page, _ = opened(context, f"{served.address}/e/drawn/")
    button = page.get_by_role("button", name="Begin")
    names = ["borderColor", "backgroundColor", "transitionDuration"]
    style = "(element, names) => names.map(name => getComputedStyle(element)[name])"
    edge, ground, moves = button.evaluate(style, names)
    assert edge != ground
    assert edge != "rgba(0, 0, 0, 0)"
    assert moves == "0s"
    begin(page)
    asked(page)
    frame = page.locator(".frame").first
    assert frame.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    context.close()


@pytest.mark.slow
def test_the_experimenters_pages_fit_a_telephone(served: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 256})
    page, complaints = opened(context, f"{served.address}/experimenter/")
    page.get_by_label("Token").fill("not it, but long enough")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Token").get_attribute("aria-invalid") == "true"
    page.get_by_label("Token").fill(TOKEN)
    assert fits_across(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    assert fits_across(page)
    page.clock.install()
    page.get_by_role("link", name="drawn").click()
    started = page.locator("#standing tbody").first
    expect(started).not_to_contain_text("1")
    assert fits_across(page)
    # The counts are renewed, until that is not wanted.
    served.visitor().begin()
    page.clock.fast_forward(15_000)
    expect(started).to_contain_text("1")
    page.get_by_label("Renew the counts every 15 s").uncheck()
    served.visitor().begin()
    served.visitor().begin()
    page.clock.fast_forward(60_000)
    expect(started).not_to_contain_text("2")
    page.get_by_role("link", name="Renew").click()
    expect(started).to_contain_text("2")
    page.get_by_role("region", name="Counts by algorithm").focus()
    page.keyboard.press("ArrowRight")  # scrolls it
    assert [text for text in complaints if "403" not in text] == []
    context.close()


@pytest.mark.slow
def test_words_of_any_length_fit_at_a_zoom_of_400_percent(
    serve: Callable[..., Served], tmp_path: Path, browser: Browser
) -> None:
    long = "W" * 100
    bundle = make_bundle(
        tmp_path / "drawn", long, protocol=Protocol(practice=0, test=1, checks=0, exposure_ms=100), algorithms=[long]
    )
    text = OWN.replace("How old are you?", long).replace("A laptop, de", f"{long}, de").replace("not at all", long)
    served = serve(bundle, recruiting=Recruiting(completion=Exit(code=long), questions=own_questions(tmp_path, text)))
    context = browser.new_context(viewport={"width": 320, "height": 256})
    page, complaints = opened(context, f"{served.address}/e/{long}/")
    begin(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert fits_across(page)
    page.get_by_label(long).first.fill("30")
    page.get_by_label("A telephone").check()
    page.get_by_role("button", name="Continue").click()
    asked(page)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Some questions at the end")).to_be_visible()
    assert fits_across(page)
    page.get_by_label("3", exact=True).check()
    page.get_by_label("What did you look at?").fill(long[:50])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Your completion code")).to_contain_text(long)
    assert fits_across(page)
    page.get_by_label("Is there anything").fill(long)
    page.get_by_role("button", name="Send the comment").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert fits_across(page)
    page.goto(f"{served.address}/experimenter/")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    for place in ("", f"{long}/", f"{long}/participants/", f"{long}/participants/1"):
        page.goto(f"{served.address}/experimenter/{place}")
        assert fits_across(page), place
        for region in page.locator(".scroll").all():  # what is wider has its own bar, and the keyboard reaches it
            region.focus()
            expect(region).to_be_focused()
    assert [text for text in complaints if "422" not in text] == []
    context.close()


@pytest.mark.slow
def test_the_next_pair_is_loaded_while_one_is_judged(
    serve: Callable[..., Served], tmp_path: Path, browser: Browser
) -> None:
    served = serve(make_bundle(tmp_path / "next", "next", protocol=Protocol(practice=0, test=4, checks=0)))
    context = browser.new_context()
    page, _ = opened(context, f"{served.address}/e/next/")
    asked_for = list[int]()

    def note(request: Request) -> None:
        if request.url.endswith("/pair"):
            asked_for.append(int((request.post_data or "").split("number=")[1]))

    page.on("request", note)
    begin(page)
    with page.expect_response("**/pair"):
        assert asked(page) == 1
    assert page.locator("img").count() == 0
    assert asked_for == [1, 2]
    page.keyboard.press("ArrowLeft")
    # The second pair is there without being asked for again; then the connection is lost, so that the third is not.
    expect(page.get_by_role("heading", name="Pair 2")).to_be_visible()
    page.route("**/pair", lambda route: route.abort())
    assert asked(page) == 2
    page.unroute("**/pair")
    page.keyboard.press("ArrowLeft")
    for number in (3, 4):
        assert asked(page) == number
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert asked_for == [1, 2, 3, 3, 4]
    trials = read_answers(served.site.database, "next").trials
    assert trials["loads"].tolist() == [1, 1, 1, 1]
    assert trials["shown"].all()
    context.close()


@pytest.mark.slow
def test_a_session_in_two_tabs_shows_each_pair_once(
    serve: Callable[..., Served], tmp_path: Path, browser: Browser
) -> None:
    served = serve(make_bundle(tmp_path / "two", "two", protocol=Protocol(practice=0, test=3, checks=0)))
    context = browser.new_context(viewport={"width": 667, "height": 375})
    context.add_init_script(SEEN)
    address = f"{served.address}/e/two/"
    first, complaints = opened(context, address)
    second, more = opened(context, address)
    begin(first)
    for number in (1, 2, 3):
        assert asked(first) == number
        assert first.evaluate("window.pair !== undefined")
        second.goto(f"{address}trial")
        assert asked(second) == number
        assert second.evaluate("window.pair === undefined")
        assert in_sight(second.locator("#said"))
        assert in_sight(second.get_by_role("button", name="I did not see it"))
        # Both tabs have loaded the next pair; it is shown where this one is judged.
        second.keyboard.press("ArrowLeft")
        first, second = second, first
    expect(first.get_by_role("heading", name="Thank you")).to_be_visible()
    second.keyboard.press("ArrowRight")
    expect(second.get_by_role("heading", name="Thank you")).to_be_visible()
    assert choices(served) == dict.fromkeys((1, 2, 3), "left")
    trials = read_answers(served.site.database, "two").trials
    assert trials["shown"].all()
    assert trials["loads"].between(1, 2).all()
    assert complaints == more == []
    context.close()


@pytest.mark.slow
def test_a_session_that_is_offline_twice(served: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 667, "height": 375})
    page, _ = opened(context, f"{served.address}/e/drawn/")
    lost = iter([True, True])
    begin(page)
    for number, side in zip(range(1, SHORT.photographs + 1), sides(), strict=False):
        if number == SHORT.practice + 3:  # before a pair
            expect(page.locator("#said")).to_contain_text("This pair has not been shown yet")
            assert in_sight(page.locator("#said"))
        assert asked(page) == number
        if number == SHORT.practice + 1:  # before an answer
            context.set_offline(True)
            page.locator(f"button[value={side}]").click()
            expect(page.locator("#said")).to_contain_text("Your answer is kept on this page")
            assert in_sight(page.locator("#said"))
            context.set_offline(False)
        else:
            if number == SHORT.practice + 2:
                page.route("**/shown", lambda route: route.abort() if next(lost, False) else route.continue_())
            page.locator(f"button[value={side}]").click()
        if number <= SHORT.practice:
            page.locator("a.button").click()
        elif number < SHORT.photographs:
            expect(page.get_by_role("heading", name=f"Pair {number + 1} ")).to_be_visible()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert choices(served) == dict(zip(range(1, SHORT.photographs + 1), sides(), strict=False))
    context.close()
