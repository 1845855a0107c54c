"""The report's page in a real browser, and its LaTeX through a real compiler; skipped where there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_page_fits_its_window_and_asks_for_nothing(browser, made: Path, width: int, height: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((made / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith("data:")] == [(made / "report.html").as_uri()]
    assert said == []
    # Every picture is there, and has an alternative text.
    drawn = page.evaluate(
        "[...document.images].map(image => [image.complete, image.naturalWidth > 0, image.alt.length])"
    )
    assert len(drawn) == 6
    assert all(complete and seen and described > 20 for complete, seen, described in drawn)
    page.close()


@pytest.mark.slow
def test_captions_have_two_lines_and_the_method_is_one_click_away(browser, made: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((made / "report.html").as_uri())
    captions = page.locator("figcaption, div.note")
    assert captions.count() == 9
    for caption in captions.all():
        method = caption.locator("details")
        lines = "it => it.getBoundingClientRect().height / parseFloat(getComputedStyle(it).lineHeight)"
        assert caption.evaluate(lines) - (method.evaluate(lines) if method.count() else 0) < 2.1
    for place, said in (
        ("section.answer", "Very likely: the 95 % interval"),
        ("div.note", "p is adjusted for the number"),
    ):
        details = page.locator(f"{place} details").first
        assert said not in details.inner_text()
        details.locator("summary").click()
        assert said in details.inner_text()
    page.close()


@pytest.mark.slow
def test_a_heading_sorts_its_table(browser, made: Path) -> None:
    page = browser.new_page()
    page.goto((made / "report.html").as_uri())
    table = page.locator("table").first

    def values(place: int) -> list[str]:
        return [cell.strip() for cell in table.locator(f"tbody tr > *:nth-child({place})").all_inner_texts()]

    heading = table.locator("thead button").nth(2)
    heading.click()
    falling = [float(text.split()[0]) for text in values(3)]
    assert falling == sorted(falling, reverse=True)
    heading.press("Enter")
    assert [float(text.split()[0]) for text in values(3)] == sorted(falling)
    assert table.locator("thead th").nth(2).get_attribute("aria-sort") == "ascending"
    table.locator("thead button").first.click()
    assert values(1) == sorted(values(1))
    assert table.locator("tfoot tr").count() == 1
    page.close()


@pytest.mark.slow
def test_the_page_prints(browser, made: Path) -> None:
    page = browser.new_page()
    page.goto((made / "report.html").as_uri())
    assert page.locator("details[open]").count() == 0
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".scroll").first.evaluate("it => getComputedStyle(it).overflowX") == "visible"
    page.close()


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="there is no pdflatex: apt-get install texlive-latex-recommended"
)
def test_the_latex_compiles(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "report")
    compiled = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert compiled.returncode == 0, compiled.stdout[-2000:]
    assert (folder / "report.pdf").stat().st_size > 10_000
    assert "Overfull" not in compiled.stdout
