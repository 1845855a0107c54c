"""The rating design: one picture at a time, on a scale, from the draw to the files."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from ablate.turing.analyse.analysis import analyse
from ablate.turing.analyse.output import terminal_lines, write_files
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Trial, read_answers
from ablate.turing.export.tables import trials_table
from ablate.turing.protocol import REAL, Protocol
from ablate.turing.serve.recruiting import Exit, Recruiting
from tests.support.browsing import STAGES, asked, begin
from tests.support.browsing import opened as open_page
from tests.support.bundles import make_bundle
from tests.support.judged import opened, take_part
from tests.support.servers import TOKEN, Served
from tests.turing.serve.test_layout import IN_SIGHT, SIZES, fits_across, in_sight

NAMES = ("one", "two")
RATING = Protocol(practice=1, test=9, checks=2, exposure_ms=200, design="rating", with_real=True, points=5)


def made(folder: Path, protocol: Protocol = RATING) -> Bundle:
    return make_bundle(folder / "drawn", protocol=protocol, algorithms=NAMES, photographs=12)


def rates(trial: Trial) -> int:
    return {"": 1, "one": 2, "two": 4, REAL: 5}[trial.algorithm or ""]


def test_each_trial_shows_the_picture_of_one_algorithm(tmp_path: Path, database: Database) -> None:
    bundle = made(tmp_path)
    sessions = opened(database, bundle)
    for number in range(4):
        take_part(sessions, f"key {number}", rates)  # type: ignore[arg-type]
    with database.reading() as session:
        trials = session.query(Trial).all()
    stimuli = {each.photograph: each for each in bundle.manifest.stimuli}
    for trial in trials:
        stimulus = stimuli[trial.photograph]
        pictures = {
            "one": stimulus.recolored[0],
            "two": stimulus.recolored[1],
            REAL: stimulus.real,
            None: stimulus.check,
        }
        assert trial.recolored == pictures[trial.algorithm]
        assert sessions.pictures(trial) == {"alone": bundle.picture(trial.recolored)}
        assert (trial.real_side, trial.other) == ("", None)
        assert (trial.kind == "check") == (trial.algorithm is None)
    tests = Counter((trial.participant_id, trial.algorithm) for trial in trials if trial.kind == "test")
    assert set(tests.values()) == {3}
    found = analyse(read_answers(database, "drawn"), bundle.picture)
    assert found.rates["rating"].tolist() == [2, 4, 5]
    assert found.summary["answer"][0].startswith("Mean ratings, from 1 to 5: real 5.00 [")
    assert "real is rated higher than one: by 3.0" in " ".join(found.summary["answer"])
    write_files(found, trials_table(read_answers(database, "drawn")), tmp_path / "analysis")
    assert "mean rating [95 %]" in "\n".join(terminal_lines(found))
    assert pd.read_csv(tmp_path / "analysis" / "rates.csv")["rating"].tolist() == [2, 4, 5]


def test_who_rates_obvious_fakes_high_is_left_out_and_sent_back(tmp_path: Path, database: Database) -> None:
    sessions = opened(database, made(tmp_path))
    take_part(sessions, "middle", lambda trial: 3)  # type: ignore[arg-type,return-value]
    take_part(sessions, "high", lambda trial: 4)  # type: ignore[arg-type,return-value]
    answers = read_answers(database, "drawn")
    found = analyse(answers, None)
    rules = found.exclusions.set_index("rule")["participants"]
    assert rules["more than 1 of 2 obvious fakes rated above 3 of 5"] == 1
    assert found.summary["participants"]["kept"] == 1
    table = trials_table(answers)
    assert table["fooled"].notna().equals(table["kind"] == "check")
    assert table["real_side"].isna().all()
    assert table["rating"].dtype == "Int64"
    strict = opened(database, make_bundle(tmp_path / "b", "strict", protocol=RATING, algorithms=NAMES, photographs=12),
                    Recruiting(screen_out=Exit(code="OUT")))  # fmt: skip
    with suppress(AssertionError):  # sent back before the last picture, unless that is a check
        take_part(strict, "high", lambda trial: 4)  # type: ignore[arg-type,return-value]
    state = strict.find("high")
    assert state is not None
    assert state.participant.screened_out is not None


@pytest.mark.slow
def test_every_page_asks_for_a_rating(tmp_path: Path, serve: Callable[..., Served], database: Database) -> None:
    served = serve(made(tmp_path), recruiting=Recruiting(screen_out=Exit(code="OUT")))
    visitor = served.visitor()
    pages = [visitor.get("./").text]
    assert "how natural its colours looked to you, from 1 to 5" in pages[0]
    assert "Before these comes one picture to get used to it." in pages[0]
    assert "Who rates too many of them high is sent back" in pages[0]
    visitor.begin()
    page = visitor.get("trial")
    token = page.field("csrf")
    sent = json.loads(visitor.post("pair", csrf=token, number=1).body)
    assert list(sent) == ["alone"]
    visitor.post("shown", csrf=token, number=1)
    for impossible in ("left", "right", "0", "6", "2.5", "rated", ""):
        assert visitor.post("answer", csrf=token, number=1, choice=impossible, exposure_ms=200).status == 422, (
            impossible
        )
    assert visitor.post("answer", csrf=token, number=1, choice="5", exposure_ms=200).status == 200
    assert visitor.get("feedback/1").headers["location"] == "../trial"
    assert visitor.post("answer", csrf=token, number=1, choice="1", exposure_ms=200).status == 200  # the first stays
    pages.append(visitor.look().text)
    number = int(visitor.get("trial").field("number"))
    assert visitor.post("answer", csrf=token, number=number, choice="missed", exposure_ms=200).status == 200
    while visitor.judge(lambda number: "2"):
        pass
    pages += [visitor.get("thanks").text, visitor.get("withdraw").text, visitor.get("nothing").text]
    assert "how natural people find those colours" in pages[2]
    for each in pages:
        assert "pair" not in each.replace('class="pair alone"', "").lower()
        assert "fake" not in each.lower()
        assert "<title>" in each
    trials = read_answers(database, "drawn").trials
    assert trials["rating"].fillna(0).tolist() == [5, 0, *[2] * 10]
    assert trials["missed"].tolist() == [False, True, *[False] * 10]
    others = serve(make_bundle(tmp_path / "pairs", "pairs"))
    pairs = others.visitor("pairs")
    pairs.begin()
    page = pairs.look()
    assert pairs.post("answer", csrf=page.field("csrf"), number=1, choice="3", exposure_ms=200).status == 422
    experimenter = served.visitor(None)
    experimenter.post("/experimenter/login", token=TOKEN)
    standing = experimenter.get("/experimenter/drawn/").text
    assert "mean rating [95 %]" in standing
    assert "obvious fakes that were rated above the middle of the scale" in standing
    assert "preferred" not in standing.lower()
    archive = zipfile.ZipFile(io.BytesIO(experimenter.get("/experimenter/drawn/data.zip").body))
    codebook = json.loads(archive.read("drawn-data/codebook.json"))
    assert "participants said how natural it looked, from 1, not at all, to 5" in codebook["description"]
    (table,) = [name for name in archive.namelist() if "trials_data" in name]
    assert pd.read_csv(archive.open(table))["rating"].notna().sum() == 11


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_rating_has_all_in_sight(serve: Callable[..., Served], tmp_path: Path, browser: Browser, size: str) -> None:
    width, height, _ = SIZES[size]
    wide = Protocol(practice=0, test=2, checks=0, exposure_ms=200, design="rating", points=11)
    served = serve(made(tmp_path, wide))
    context = browser.new_context(viewport={"width": width, "height": height})
    page, complaints = open_page(context, f"{served.address}/e/drawn/")
    page.add_init_script(
        f"{STAGES} addEventListener('stage', ({{ detail }}) => {{ if (detail !== 'shown') return;"
        "const picture = document.querySelector('.frame img'), { width, height } = picture.getBoundingClientRect();"
        f"window.picture = {{ sight: ({IN_SIGHT})(picture), width, height }}; }});"
    )
    begin(page)
    assert asked(page) == 1
    picture = page.evaluate("picture")
    assert picture["sight"]
    assert picture["width"] == pytest.approx(picture["height"])
    assert 90 <= picture["width"] <= 256
    buttons = page.locator(".scale button")
    assert buttons.count() == 11
    for part in (page.locator("#said"), buttons.first, buttons.last):
        assert in_sight(part)
        place = part.bounding_box()
        assert place is not None
        assert min(place["width"], place["height"]) >= 21
    assert fits_across(page)
    page.get_by_role("button", name="11: completely natural").click()
    expect(page.get_by_role("heading", name="Picture 2")).to_be_visible()
    assert asked(page) == 2
    page.reload()
    expect(page.get_by_role("button", name="I did not see it")).to_be_visible()
    assert in_sight(page.locator("#said"))
    assert in_sight(buttons.last)
    page.get_by_role("button", name="I did not see it").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert complaints == []
    context.close()


@pytest.mark.slow
def test_a_rating_by_keyboard(serve: Callable[..., Served], tmp_path: Path, context: BrowserContext) -> None:
    five = RATING.model_copy(update={"test": 3, "checks": 1})
    served = serve(made(tmp_path, five))
    page, complaints = open_page(context, f"{served.address}/e/drawn/")
    begin(page)
    for number in range(1, five.photographs + 1):
        assert asked(page) == number
        expect(page.locator("#said")).to_have_text("How natural did it look?")
        page.keyboard.press("9")  # is none of its points
        page.keyboard.press("ArrowLeft")
        page.keyboard.press(str(1 + number % 5))
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    trials = read_answers(served.site.database, "drawn").trials
    assert trials["rating"].tolist() == [2, 3, 4, 5, 1]
    assert trials["response_ms"].notna().all()
    assert complaints == []
