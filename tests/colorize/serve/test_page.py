"""The page that colours photographs: what it answers, to attackers too, and how it is used in a browser."""

import base64
import http.client
import io
import re
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from ablate.colorize.command import load
from ablate.colorize.deep import PNG_SIGNATURE
from ablate.colorize.engine import Engine
from ablate.colorize.options import parse_options
from ablate.colorize.serve.app import create_app
from ablate.errors import ConfigError
from ablate.web.server import server
from tests.support.servers import free_port, running


@pytest.fixture(scope="module")
def address(network_file: Path) -> Iterator[str]:
    """The address of a page with one network, for files of at most one MiB."""
    port = free_port()
    with Engine(load(parse_options([f"model={network_file}"]), [])) as engine:
        made = server(create_app(engine, max_mib=1), host="127.0.0.1", port=port, proxies="")
        with running(made):
            yield f"http://127.0.0.1:{port}/"


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def ask(
    address: str,
    body: bytes | None = None,
    *,
    method: str = "POST",
    kind: str | None = None,
    place: str = "/",
    site: str | None = None,
) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    headers = {"Content-Type": kind or "multipart/form-data; boundary=xx"} if body is not None else {}
    headers |= {"Sec-Fetch-Site": site} if site else {}
    try:
        connection.request(method, place, body, headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
    except (BrokenPipeError, ConnectionResetError):
        # The server answers before it has read all of a large body.
        return 413, {}, ""
    finally:
        connection.close()


def form(content: bytes, name: str = "one.png", field: str = "photograph") -> bytes:
    head = f'--xx\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--xx--\r\n"


@pytest.mark.slow
def test_a_photograph_comes_back_in_colour(address: str, astronaut: Image.Image) -> None:
    status, headers, page = ask(address, form(encoded(astronaut.convert("L"))))
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    found = re.search(r'href="data:image/png;base64,([^"]+)" download="one-coloured.png"', page)
    assert found is not None
    coloured = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert (coloured.mode, coloured.size) == ("RGB", (128, 96))
    assert np.ptp(np.asarray(coloured, int), axis=-1).max() > 0
    # Nothing is loaded from elsewhere.
    assert not re.findall(r'(?:src|href|action)="(?!data:|\./)', page)
    assert "as it came" not in page
    assert "as it came" in ask(address, form(encoded(astronaut)))[2]


def bomb(side: int = 50_000) -> bytes:
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    made = PNG_SIGNATURE
    for name, data in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")):
        made += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return made


@pytest.mark.slow
def test_what_an_attacker_gets(address: str, astronaut: Image.Image) -> None:
    refused = {
        "bomb": (form(bomb()), 422, "megapixels"),
        "large": (form(bomb(8_000)), 422, "more than 50 megapixels"),
        "text": (form(b"text"), 422, "No JPEG, PNG, WebP or TIFF picture."),
        "empty": (form(b""), 422, "Choose a photograph first."),
        "other field": (form(b"x", field="other"), 422, "No photograph was sent."),
        "no form": (b"--xx", 422, ""),
        "too large": (form(bytes(3 * 2**20)), 413, ""),
    }
    for name, (body, expected, said) in refused.items():
        status, _, page = ask(address, body)
        assert status == expected, name
        assert said in page, name
    assert ask(address, b"{}", kind="application/json")[0] == 422
    for site, expected in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        assert ask(address, form(encoded(astronaut)), site=site)[0] == expected
    script = ask(address, form(encoded(astronaut), name="<script>alert(1)</script>.png"))[2]
    assert "<script>alert" not in script
    assert ask(address, method="GET", place="/../../etc/passwd")[0] == 404
    assert ask(address, method="DELETE")[0] == 405


@pytest.mark.slow
def test_a_hundred_at_once_are_all_answered(address: str, astronaut: Image.Image) -> None:
    body = form(encoded(astronaut.resize((300, 200))))
    assert ask(address, body)[0] == 200
    before, answers, most = psutil.Process().memory_info().rss, list[int](), [0]

    def send() -> None:
        answers.append(ask(address, body)[0])
        most[0] = max(most[0], psutil.Process().memory_info().rss)

    threads = [threading.Thread(target=send) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 100
    assert most[0] - before < 200 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_in_a_browser_by_keyboard_and_by_drop(
    width: int, address: str, browser: Browser, astronaut: Image.Image, tmp_path: Path
) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(encoded(astronaut))
    page = browser.new_page(viewport={"width": width, "height": 800})
    complaints = list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda each: None if each.url.startswith((address, "data:")) else complaints.append(each.url))
    page.goto(address)
    page.get_by_label("Drop a photograph here").set_input_files(file)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Colour it").focus()
    page.keyboard.press("Enter")
    line = page.get_by_role("slider")
    expect(line).to_be_visible()
    line.focus()
    page.keyboard.press("End")
    expect(line).to_have_value("100")
    clip = "getComputedStyle(document.querySelector('.over')).clipPath"
    assert page.evaluate(clip) == "inset(0px 0px 0px 100%)"
    page.keyboard.press("Home")
    assert page.evaluate(clip) in ("inset(0px 0px 0px 0%)", "inset(0px)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download").click()
    assert downloaded.value.suggested_filename == "one-coloured.png"
    with Image.open(downloaded.value.path()) as coloured:
        assert coloured.size == (128, 96)
    # Dropped anywhere on the page, the next one is coloured at once.
    dropped = """async content => {
        const bytes = Uint8Array.from(atob(content), each => each.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], "two.png", { type: "image/png" }));
        document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    }"""
    page.evaluate(dropped, base64.b64encode(encoded(astronaut.rotate(90))).decode())
    expect(page.get_by_role("heading", name="two.png")).to_be_visible()
    assert complaints == []
    page.close()


@pytest.mark.slow
def test_without_javascript_a_photograph_is_shown_in_colour(
    address: str, astronaut: Image.Image, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(encoded(astronaut))
    page = browser.new_page(java_script_enabled=False)
    page.goto(address)
    page.get_by_label("Drop a photograph here").set_input_files(file)
    page.get_by_role("button", name="Colour it").click()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    expect(page.get_by_role("slider")).to_have_count(0)
    expect(page.get_by_text("The line moves")).to_be_hidden()
    shown = Image.open(io.BytesIO(page.locator(".compare").first.screenshot())).convert("RGB")
    left = np.asarray(shown.crop((0, 0, shown.width // 2, shown.height)), int)
    assert np.ptp(left, axis=-1).mean() > 2
    page.close()


def test_wrong_arguments_are_named() -> None:
    from ablate.colorize.serve.command import main

    with pytest.raises(ConfigError, match=r"port=0"):
        main(["port=0"])
    with pytest.raises(ConfigError, match=r"unknown key: prot"):
        main(["prot=1"])
