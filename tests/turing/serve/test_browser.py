"""Whole sessions in a real browser: by mouse, by keyboard, on a phone, with interruptions."""

import http.client
import itertools
import json
import statistics
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from ablate.turing.database import read_answers
from ablate.turing.protocol import Protocol
from tests.conftest import CHROMIUM
from tests.support.browsing import STAGES, asked, begin, choices, opened, sides
from tests.support.bundles import BRIEF, SHORT, make_bundle
from tests.support.servers import TOKEN, Served

PROBE = """
  window.frames_seen = [];
  const probe = now => {
    const images = [...document.querySelectorAll(".frame img")];
    const visible = image => getComputedStyle(image).visibility === "visible";
    const drawn = images.every(image => visible(image) && image.complete && image.naturalWidth > 0);
    if (images.length) window.frames_seen.push([now, drawn]);
    requestAnimationFrame(probe);
  };
  requestAnimationFrame(probe);
"""
"""Looks, in every frame, whether both pictures are to be seen."""


@pytest.mark.slow
def test_a_session_by_mouse(served: Served, context: BrowserContext) -> None:
    page, complaints = opened(context, f"{served.address}/e/drawn/")
    assert page.title() == "Which picture is the fake?"
    begin(page)
    clicked = {}
    for side in sides():
        number = asked(page)
        clicked[number] = side
        page.locator(f"button[value={side}]").click()
        if number == SHORT.photographs:
            break
        if number <= SHORT.practice:
            expect(page.locator(".verdict")).to_be_visible()
            fooled = read_answers(served.site.database, "drawn").trials["fooled"].iloc[-1]
            assert ("Wrong." in page.locator(".verdict").inner_text()) == fooled
            assert page.locator("figcaption").all_inner_texts().count("Real colours") == 1
            page.get_by_role("link", name="Next pair" if number < SHORT.practice else "Begin the test").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert choices(served) == clicked
    assert len(clicked) == SHORT.photographs
    assert complaints == []


@pytest.mark.slow
def test_a_session_by_keyboard_alone(brief: Served, context: BrowserContext) -> None:
    page, complaints = opened(context, f"{brief.address}/e/drawn/")
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    for key in ("Tab", "Space", "Tab", "Space", "Tab", "Enter"):
        page.keyboard.press(key)
    pressed = {}
    for side in sides():
        number = asked(page)
        pressed[number] = side
        page.keyboard.press("ArrowLeft" if side == "left" else "ArrowRight")
        if number == BRIEF.photographs:
            break
        if number <= BRIEF.practice:
            expect(page.locator(".verdict")).to_be_visible()
            page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert choices(brief) == pressed
    assert complaints == []


@pytest.mark.slow
def test_a_session_on_a_phone(brief: Served, browser: Browser) -> None:
    phone = browser.new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    page, complaints = opened(phone, f"{brief.address}/e/drawn/")
    begin(page)
    tapped = {}
    for side in sides():
        number = asked(page)
        boxes = [page.locator(f"button[value={each}]").bounding_box() for each in ("left", "right")]
        for box in boxes:
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
            assert box["y"] + box["height"] <= 640
            assert box["width"] >= 120
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        tapped[number] = side
        page.locator(f"button[value={side}]").tap()
        if number == BRIEF.photographs:
            break
        if number <= BRIEF.practice:
            page.locator("a.button").tap()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert choices(brief) == tapped
    assert complaints == []
    phone.close()


@pytest.mark.slow
def test_pictures_are_seen_for_a_second(serve: Callable[..., Served], tmp_path: Path, context: BrowserContext) -> None:
    second = Protocol(practice=0, test=2, checks=0)
    assert second.exposure_ms == 1000
    served = serve(make_bundle(tmp_path / "second", "second", protocol=second, side=256))
    page, complaints = opened(context, f"{served.address}/e/second/")
    page.add_init_script(PROBE)
    begin(page)
    measured, longest = [], []
    for _ in range(2):
        asked(page)
        frames = page.evaluate("window.frames_seen")
        seen = [time for time, drawn in frames if drawn]
        steps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(frames)]
        # The last frame in which they are seen stays until the next one.
        frame = max(statistics.median(steps), max(later - earlier for earlier, later in itertools.pairwise(seen)))
        measured.append(seen[-1] - seen[0] + statistics.median(steps))
        longest.append(frame)
        assert measured[-1] == pytest.approx(1000, abs=frame + 1)
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    trials = read_answers(served.site.database, "second").trials
    # A busy machine drops frames, and what the page and the probe see of one may be the other's next.
    assert trials["exposure_ms"].tolist() == pytest.approx(measured, abs=max(20, *longest))
    assert trials["response_ms"].between(0, 30_000).all()
    assert complaints == []


@pytest.mark.slow
def test_answers_before_the_pictures_have_gone_do_not_count(
    serve: Callable[..., Served], tmp_path: Path, context: BrowserContext
) -> None:
    one = Protocol(practice=0, test=1, checks=0, exposure_ms=200)
    served = serve(make_bundle(tmp_path / "one", "one", protocol=one))
    page, _ = opened(context, f"{served.address}/e/one/")
    page.add_init_script(
        f"{STAGES} addEventListener('stage', ({{ detail }}) => {{ if (detail !== 'shown') return;"
        "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));"
        "window.disabled = document.querySelector('button[value=right]').disabled; });"
    )
    begin(page)
    asked(page)
    assert page.evaluate("disabled")
    assert not any("is being sent" in said for _, said, _ in page.evaluate("stages"))
    assert choices(served) == {}


@pytest.mark.slow
def test_reload_and_back_in_the_middle(served: Served, context: BrowserContext) -> None:
    page, complaints = opened(context, f"{served.address}/e/drawn/")
    begin(page)
    assert asked(page) == 1
    page.reload()
    # It has been seen: the page asks at once.
    assert asked(page) == 1
    expect(page.locator("#said")).to_contain_text("There was an interruption, and this pair is not shown again.")
    page.locator("button[value=right]").click()
    expect(page.locator(".verdict")).to_be_visible()
    page.go_back()
    assert asked(page) == 2
    page.go_back()
    expect(page.get_by_role("link", name="Continue where you were")).to_be_visible()
    page.get_by_role("link", name="Continue where you were").click()
    assert asked(page) == 2
    page.locator("button[value=left]").click()
    expect(page.locator(".verdict")).to_be_visible()
    assert choices(served) == {1: "right", 2: "left"}
    assert complaints == []


@pytest.mark.slow
def test_two_tabs(served: Served, context: BrowserContext) -> None:
    one, complaints = opened(context, f"{served.address}/e/drawn/")
    begin(one)
    assert asked(one) == 1
    other, more = opened(context, f"{served.address}/e/drawn/trial")
    assert asked(other) == 1
    one.locator("button[value=left]").click()
    expect(one.locator(".verdict")).to_be_visible()
    other.locator("button[value=right]").click()
    # Both are told of the answer that counts, the first one.
    expect(other.locator(".verdict")).to_be_visible()
    assert other.locator(".verdict").inner_text() == one.locator(".verdict").inner_text()
    assert choices(served) == {1: "left"}
    other.locator("a.button").click()
    assert asked(other) == 2
    assert complaints == more == []


@pytest.mark.slow
def test_a_pair_is_seen_in_one_of_two_tabs(served: Served, context: BrowserContext) -> None:
    context.add_init_script(PROBE)
    held = list[Route]()
    context.route("**/shown", lambda route: held.append(route))
    one, _ = opened(context, f"{served.address}/e/drawn/")
    begin(one)
    waited_for(one, held, 1)
    # The second one has loaded the pair, too, before either has said that it is shown.
    other, _ = opened(context, f"{served.address}/e/drawn/trial")
    waited_for(other, held, 2)
    held[0].continue_()
    asked(one)
    held[1].continue_()
    asked(other)
    expect(one.locator("#said")).to_have_text("Which one is the fake?")
    expect(other.locator("#said")).to_contain_text("There was an interruption")
    seen = [any(drawn for _, drawn in page.evaluate("window.frames_seen")) for page in (one, other)]
    assert seen == [True, False]


def waited_for(page: Page, held: list[Route], count: int) -> None:
    """Wait until so many requests are held."""
    for _ in range(500):
        if len(held) >= count:
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"{len(held)} of {count} requests have come")


@pytest.mark.slow
def test_without_the_style_sheet_nothing_is_seen_before_its_time(served: Served, context: BrowserContext) -> None:
    context.route("**/*.css", lambda route: route.abort())
    page, _ = opened(context, f"{served.address}/e/drawn/")
    page.add_init_script(PROBE)
    begin(page)
    asked(page)
    frames = page.evaluate("window.frames_seen")
    seen = [time for time, drawn in frames if drawn]
    longest = max(later - earlier for (earlier, _), (later, _) in itertools.pairwise(frames))
    assert seen[-1] - seen[0] == pytest.approx(SHORT.exposure_ms, abs=max(150, longest))


TURN = (
    "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    "document.dispatchEvent(new Event('visibilitychange')); }"
)
"""Does what the browser does to a page whose tab is left, or comes back; a window that nobody has does not."""


@pytest.mark.slow
def test_who_leaves_during_the_cross_looks_at_it_again(served: Served, context: BrowserContext) -> None:
    page, complaints = opened(context, f"{served.address}/e/drawn/")
    page.add_init_script(
        f"{STAGES} addEventListener('stage', ({{ detail }}) => {{ if (detail === 'fixing' && !window.left)"
        f"{{ window.left = true; ({TURN})(true); }} }});"
    )
    begin(page)
    page.wait_for_function("() => window.left")
    page.wait_for_timeout(900)
    assert page.evaluate("stages.at(-1)[0]") == ""
    assert page.locator(".frame img").count() == 0
    page.evaluate(TURN, False)
    asked(page)
    cross = "Look at the cross. The pictures come in a moment."
    *fixing, shown = [stage for stage in page.evaluate("stages") if stage[0] or stage[2]][:3]
    assert fixing == [["fixing", cross, 0]] * 2
    assert (shown[0], shown[2]) == ("shown", 2)
    assert complaints == []


@pytest.mark.slow
def test_a_connection_that_is_lost_before_the_pair(served: Served, context: BrowserContext) -> None:
    page, _ = opened(context, f"{served.address}/e/drawn/")
    page.add_init_script(STAGES)
    lost = iter([True])
    page.route("**/shown", lambda route: route.abort() if next(lost, False) else route.continue_())
    begin(page)
    asked(page)
    expect(page.locator("#said")).to_have_text("Which one is the fake?")
    stages = page.evaluate("stages")
    waits = next(place for place, (_, said, _) in enumerate(stages) if "This pair has not been shown yet" in said)
    # The cross comes first.
    *before, (stage, _, pictures) = stages[waits : 1 + next(place for place, each in enumerate(stages) if each[2])]
    assert (stage, pictures) == ("shown", 2)
    assert [stage for stage, *_ in before if stage] == ["fixing"]


@pytest.mark.slow
def test_a_missed_pair_is_said_to_be(served: Served, context: BrowserContext) -> None:
    page, complaints = opened(context, f"{served.address}/e/drawn/")
    begin(page)
    asked(page)
    assert page.get_by_role("button", name="I did not see it").count() == 0
    page.reload()
    asked(page)
    page.get_by_role("button", name="I did not see it").click()
    expect(page.get_by_role("heading", name="Pair 2")).to_be_visible()
    assert choices(served) == {1: "missed"}
    assert complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("script", ["trial.js", "welcome.js"])
def test_without_a_script_nothing_begins(served: Served, context: BrowserContext, script: str) -> None:
    context.route(f"**/{script}", lambda route: route.abort())
    page, _ = opened(context, f"{served.address}/e/drawn/")
    page.wait_for_timeout(500)  # in which it would open
    expect(page.get_by_role("heading", name="This browser cannot take part as it is")).to_be_visible()
    assert page.get_by_role("button", name="Begin").count() == 0


@pytest.mark.slow
def test_without_cookies_nothing_begins(served: Served, browser: Browser, tmp_path: Path) -> None:
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(json.dumps({"profile": {"default_content_setting_values": {"cookies": 2}}}))
    refusing = browser.browser_type.launch_persistent_context(
        profile.parent, executable_path=CHROMIUM, args=["--no-sandbox"]
    )
    page, _ = opened(refusing, f"{served.address}/e/drawn/")
    page.wait_for_timeout(500)  # in which it would open
    expect(page.get_by_role("heading", name="This browser cannot take part as it is")).to_be_visible()
    assert page.get_by_role("button", name="Begin").count() == 0
    refusing.close()


@pytest.mark.slow
@pytest.mark.parametrize("none", ["return null", "throw new DOMException('', 'SecurityError')"])
def test_without_storage_pairs_are_loaded_in_their_turn(brief: Served, context: BrowserContext, none: str) -> None:
    context.add_init_script(f"Object.defineProperty(window, 'sessionStorage', {{ get() {{ {none}; }} }})")
    page, complaints = opened(context, f"{brief.address}/e/drawn/")
    begin(page)
    assert asked(page) == 1
    page.locator("button[value=left]").click()
    page.get_by_role("link", name="Next pair").click()
    assert asked(page) == 2
    assert complaints == []


@pytest.mark.slow
def test_a_lost_connection_loses_nothing(served: Served, context: BrowserContext) -> None:
    page, _ = opened(context, f"{served.address}/e/drawn/")
    begin(page)
    asked(page)
    context.set_offline(True)
    page.locator("button[value=left]").click()
    expect(page.locator("#said")).to_contain_text("There is no connection")
    assert choices(served) == {}
    context.set_offline(False)
    expect(page.locator(".verdict")).to_be_visible()
    assert choices(served) == {1: "left"}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["cut off", "never there"])
def test_a_reply_that_does_not_come_whole_is_asked_for_again(
    served: Served, context: BrowserContext, fault: str
) -> None:
    # What the page waits a minute for, it waits 3 s for.
    context.add_init_script(
        "const timeout = AbortSignal.timeout; AbortSignal.timeout = ms => timeout.call(AbortSignal, ms / 20);"
    )
    page, _ = opened(context, f"{served.address}/e/drawn/")
    lost = {"pair", "answer"}

    def once(route: Route) -> None:
        step = urlsplit(route.request.url).path.rpartition("/")[2]
        if step not in lost:
            route.continue_()
            return
        lost.remove(step)
        reply = route.fetch()  # the server has done its part
        if fault == "cut off":
            route.fulfill(response=reply, body=reply.body()[:-2])

    page.route("**/e/drawn/*", lambda route: once(route) if route.request.method == "POST" else route.continue_())
    begin(page)
    asked(page)
    page.locator("button[value=left]").click()
    expect(page.locator(".verdict")).to_be_visible(timeout=20_000)
    assert choices(served) == {1: "left"}
    assert lost == set()
    assert read_answers(served.site.database, "drawn").trials["loads"].tolist() == [2]


@pytest.mark.slow
def test_the_experimenters_page(served: Served, context: BrowserContext) -> None:
    served.visitor().take_part(lambda number: "left")
    page, complaints = opened(context, f"{served.address}/experimenter/")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="drawn").click()
    expect(page.get_by_role("heading", name="drawn: open")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="drawn: closed")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="trials.csv").click()
    assert len(download.value.path().read_text().splitlines()) == SHORT.photographs + 1
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_role("heading", name="drawn: open")).to_be_visible()
    assert complaints == []


@pytest.fixture
def proxied(served: Served) -> Iterator[str]:
    """The address of a reverse proxy that has the server under a path."""
    target = urlsplit(served.address)

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path.startswith("/lab/colour/")
            connection = http.client.HTTPConnection(target.hostname or "", target.port)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection.request(self.command, self.path.removeprefix("/lab/colour"), body, dict(self.headers))
            response = connection.getresponse()
            content = response.read()
            self.send_response(response.status)
            for name, value in response.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/lab/colour/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_behind_a_reverse_proxy_under_a_path(served: Served, proxied: str, context: BrowserContext) -> None:
    page, complaints = opened(context, proxied)
    assert page.url == f"{proxied}e/drawn/"
    begin(page)
    assert asked(page) == 1
    page.keyboard.press("ArrowLeft")
    page.get_by_role("link", name="Next pair").click()
    assert asked(page) == 2
    assert choices(served) == {1: "left"}
    (cookie,) = context.cookies()
    assert cookie["path"] == "/lab/colour/e/drawn"
    page.goto(f"{proxied}experimenter")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="drawn").click()
    expect(page.get_by_role("heading", name="drawn: open")).to_be_visible()
    assert complaints == []


@pytest.mark.slow
def test_without_script_it_says_what_is_missing(served: Served, browser: Browser) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page, _ = opened(plain, f"{served.address}/e/drawn/")
    expect(page.get_by_role("heading", name="This browser cannot take part as it is")).to_be_visible()
    assert page.get_by_role("button", name="Begin").count() == 0
    plain.close()


@pytest.mark.slow
def test_what_is_read_aloud(served: Served, context: BrowserContext) -> None:
    page, _ = opened(context, f"{served.address}/e/drawn/")
    begin(page)
    asked(page)
    assert page.locator("#said").get_attribute("role") == "status"
    assert page.get_by_role("button", name="Left").is_enabled()
    assert page.get_by_role("progressbar").get_attribute("aria-label") == f"Pair 1 of {SHORT.photographs}"
    assert page.locator("html").get_attribute("lang") == "en"
