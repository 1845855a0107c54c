"""Designs in which a participant judges several algorithms: what is dealt, shown, asked, counted and exported."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, expect
from pydantic import ValidationError

from ablate.turing.analyse.analysis import analyse
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.bundle import Algorithm, Bundle, Manifest
from ablate.turing.database import Answers, Database, Trial, read_answers
from ablate.turing.export.tables import participants_table, trials_table
from ablate.turing.protocol import REAL, Protocol
from ablate.turing.serve.assignment import assign_trials
from ablate.turing.serve.designs import Compared, comparisons, deal
from ablate.turing.serve.enrollment import QUIET_SECONDS, Full, Newcomer
from ablate.turing.serve.recruiting import Exit, Recruiting
from ablate.turing.serve.sessions import Choice
from ablate.turing.serve.texts import load_texts, texts_of_design
from tests.support.browsing import asked, begin, choices
from tests.support.browsing import opened as open_page
from tests.support.bundles import make_bundle
from tests.support.judged import START, opened, take_part
from tests.support.servers import TOKEN, Served

NAMES = ("baseline", "loss=regression", "others")
PREFERENCE = Protocol(practice=2, test=6, checks=2, exposure_ms=200, design="preference")
WITH_REAL = Protocol(practice=2, test=6, checks=2, exposure_ms=200, design="preference", with_real=True)
WITHIN = Protocol(practice=2, test=6, checks=2, exposure_ms=200, design="within")


def made(tmp_path: Path, protocol: Protocol, name: str = "drawn") -> Bundle:
    return make_bundle(tmp_path / name, name, protocol=protocol, algorithms=NAMES, photographs=12, side=16)


def prefers(bundle: Bundle, order: tuple[str, ...]) -> Callable[[Trial], Choice]:
    """Return who prefers an algorithm that comes before another in an order, and never an obvious fake."""
    ranked = list(order)

    def choose(trial: Trial) -> Choice:
        other = "left" if trial.real_side == "right" else "right"
        if trial.kind == "check":
            return trial.real_side  # type: ignore[return-value]
        first = ranked.index(trial.algorithm or "") < ranked.index(trial.other or "")
        return other if first else trial.real_side  # type: ignore[return-value]

    return choose


def test_what_is_dealt_is_even_and_goes_to_what_has_least() -> None:
    units, random = [Compared(name) for name in "abcd"], np.random.default_rng(0)
    kinds = ["practice"] * 2 + ["test", "check"] * 6
    dealt = deal(units, kinds, {units[1]: 5, units[2]: 1, units[3]: 1}, random)
    assert [unit is None for unit in dealt] == [kind == "check" for kind in kinds]
    tests = Counter(unit.algorithm for unit, kind in zip(dealt, kinds, strict=True) if unit and kind == "test")
    assert sorted(tests.values()) == [1, 1, 2, 2]
    assert tests["a"] == 2
    assert tests["b"] == 1
    assert len({unit for unit, kind in zip(dealt, kinds, strict=True) if kind == "practice"}) == 2


@pytest.mark.parametrize("protocol", [PREFERENCE, WITH_REAL, WITHIN])
def test_trials_show_what_they_say_to_compare(tmp_path: Path, protocol: Protocol) -> None:
    manifest = made(tmp_path, protocol).manifest
    by_photograph = {stimulus.photograph: stimulus for stimulus in manifest.stimuli}
    for place in range(20):
        drawn = assign_trials(manifest, seed=5, algorithm=None, place=place)
        assert Counter(trial.kind for trial in drawn) == Counter(protocol.trials)
        assert len({trial.photograph for trial in drawn}) == protocol.photographs
        for trial in drawn:
            stimulus = by_photograph[trial.photograph]
            of = dict(zip(NAMES, stimulus.recolored, strict=True)) | {REAL: stimulus.real}
            if trial.kind == "check":
                assert (trial.real, trial.recolored) == (stimulus.real, stimulus.check)
                assert trial.algorithm is trial.other is None
            else:
                assert trial.recolored == of[trial.algorithm or ""]
                assert trial.real == of[trial.other or REAL]
        tests = [(trial.algorithm, trial.other) for trial in drawn if trial.kind == "test"]
        names = [*NAMES, REAL] if protocol.with_real else NAMES
        pairs = [(name, None) for name in names] if protocol.design == "within" else list(combinations(names, 2))
        assert Counter(tests) == Counter(pairs * (6 // len(pairs)))
        assert drawn == assign_trials(manifest, seed=5, algorithm=None, place=place)
    many = [assign_trials(manifest, seed=5, algorithm=None, place=place) for place in range(100)]
    sides = Counter(trial.real_side for drawn in many for trial in drawn)
    assert abs(sides["left"] - 500) < 4 * 1000**0.5 / 2


def test_pairs_are_even_over_who_finishes(tmp_path: Path, database: Database) -> None:
    # Two trials for three pairs: each participant leaves one out.
    bundle = made(tmp_path, Protocol(practice=0, test=2, checks=0, exposure_ms=200, design="preference"))
    now = START
    sessions = opened(database, bundle, clock=lambda: now)
    for number in range(6):
        take_part(sessions, f"finishes {number}")
        sessions.begin(Newcomer(f"leaves {number}", "normal"))
        now += 2 * QUIET_SECONDS  # long ago for those who come next
    answers = read_answers(database, "drawn")
    assert answers.participants["finished"].notna().sum() == 6
    counts = answers.trials.groupby(["algorithm", "other"]).size()
    assert counts.tolist() == [4, 4, 4]


def test_a_preference_is_kept_analysed_and_exported(tmp_path: Path, database: Database) -> None:
    bundle = made(tmp_path, WITH_REAL)
    sessions, order = opened(database, bundle), (REAL, "others", "baseline", "loss=regression")
    for number in range(5):
        take_part(sessions, f"key {number}", prefers(bundle, order))
    failing = take_part(
        sessions, "fails", lambda trial: "left" if (trial.real_side == "right") == (trial.kind == "check") else "right"
    )
    answers = read_answers(database, "drawn")
    assert set(answers.participants["algorithm"]) == {""}
    checks = answers.trials[answers.trials["kind"] == "check"]
    assert set(checks.loc[checks["fooled"], "participant"]) == {failing}
    kept, rules = apply_rules(answers.participants, answers.trials, answers.protocol)
    assert kept["participant"].nunique() == 5
    left_out = dict(zip(rules["rule"], rules["participants"], strict=True))
    assert left_out["more than 1 of 2 obvious fakes found more natural"] == 1
    found = analyse(answers, bundle.picture)
    assert found.rates.sort_values("rank")["algorithm"].tolist() == list(order)
    assert found.rates["algorithm"].tolist() == [*NAMES, REAL]
    assert (found.pairs["preferred"].isin([0, 100])).all()
    assert found.photographs["trials"].sum() == 2 * len(kept)
    assert (found.photographs["rate"][found.photographs["algorithm"] == REAL] == 100).all()
    trials, people = trials_table(answers), participants_table(answers)
    assert people["algorithm"].isna().all()
    compared = trials["other"].notna()
    assert (trials["kind"][compared] != "check").all()
    assert trials["fooled"].isna().equals(compared)
    preferred = trials[compared & (trials["participant"] != failing)]
    ahead = [min(pair, key=order.index) for pair in zip(preferred["algorithm"], preferred["other"], strict=True)]
    assert preferred["preferred"].tolist() == ahead
    assert trials.loc[trials["kind"] == "check", ["algorithm", "other", "preferred"]].isna().all(axis=None)


def test_all_algorithms_of_a_participant_are_analysed_within_them(tmp_path: Path, database: Database) -> None:
    bundle = made(tmp_path, WITHIN)
    sessions = opened(database, bundle)

    def fooled_by_others(trial: Trial) -> Choice:
        real, fake = ("left", "right") if trial.real_side == "left" else ("right", "left")
        return real if trial.algorithm == "others" else fake  # type: ignore[return-value]

    for number in range(4):
        take_part(sessions, f"key {number}", fooled_by_others)
    answers = read_answers(database, "drawn")
    found = analyse(answers, None)
    assert found.rates["rate"].tolist() == [0, 0, 100]
    assert found.rates["trials"].tolist() == [8, 8, 8]
    assert found.rates["participants"].tolist() == [4, 4, 4]
    assert found.pairs["difference"].tolist() == [0, -100, -100]
    trials = trials_table(answers)
    assert trials["other"].isna().all()
    assert set(trials["algorithm"].dropna()) == set(NAMES)
    assert trials["fooled"].notna().all()


def test_who_finds_fakes_more_natural_is_screened_out_and_enough_is_a_number_of_people(
    tmp_path: Path, database: Database
) -> None:
    bundle = made(tmp_path, PREFERENCE)
    sessions = opened(database, bundle, Recruiting(screen_out=Exit(code="OUT"), finished_per_algorithm=2))
    key, sent = "prefers fakes", 0
    sessions.begin(Newcomer(key, "normal"))
    while (state := sessions.find(key)) and state.trial:
        trial, sent = state.trial, sent + 1
        assert sessions.send(key, trial.number)
        assert sessions.show(key, trial.number)
        fake: Choice = "left" if trial.real_side == "right" else "right"
        sessions.answer(key, trial.number, fake, exposure_ms=200.0, response_ms=800.0)
    assert state is not None
    assert state.participant.screened_out is not None
    checks = [trial.number for trial in assigned(database) if trial.kind == "check"]
    assert sent == max(checks)
    for number in range(2):
        take_part(sessions, f"key {number}", prefers(bundle, NAMES))
    with pytest.raises(Full):
        sessions.begin(Newcomer("one more", "normal"))


def assigned(database: Database) -> list[Trial]:
    with database.reading() as session:
        return [trial for trial in session.query(Trial) if trial.participant_id == 1]


@pytest.mark.slow
def test_every_page_asks_for_the_more_natural_picture(
    tmp_path: Path, serve: Callable[..., Served], database: Database
) -> None:
    served = serve(made(tmp_path, PREFERENCE), recruiting=Recruiting(screen_out=Exit(code="OUT")))
    visitor = served.visitor()
    pages = [visitor.get("./").text]
    assert "choose the one whose colours look more natural" in pages[0]
    assert "nobody who looks takes the colours of one of the two for natural" in pages[0]
    visitor.begin()
    assert "Continue where you were" in visitor.get("./").text
    page = visitor.get("trial")
    assert 'data-question="Which one looks more natural?"' in page.text
    # Practice has no feedback, and the pair after it is loaded while it is judged.
    assert 'data-ahead="2"' in page.text
    token = page.field("csrf")
    assert visitor.post("pair", csrf=token, number=1).status == 200
    assert visitor.post("shown", csrf=token, number=1).status == 204
    assert visitor.post("pair", csrf=token, number=2).status == 200
    pages.append(visitor.get("trial").text)
    assert 'data-state="seen"' in pages[-1]
    answered = visitor.post("answer", csrf=token, number=1, choice="left", exposure_ms=200)
    assert json.loads(answered.body) == {"next": "trial"}
    assert visitor.get("feedback/1").headers["location"] == "../trial"
    assert visitor.get("picture/1/left").status == 404
    with database.reading() as session:
        real_sides = {trial.number: trial.real_side for trial in session.query(Trial)}
    while visitor.judge(real_sides.__getitem__):
        pass
    pages += [page.text, visitor.get("thanks").text, visitor.get("withdraw").text]
    pages.append(visitor.get("nothing").text)
    assert "whose colours people find most natural" in pages[3]
    for each in pages:
        assert "fake" not in each.lower()
        assert "<title>" in each
    assert "<title>Which picture looks more natural?</title>" in pages[0]
    consents = read_answers(database, "drawn").consents
    assert all("look more natural to you" in text and "fake" not in text for text in consents.values())
    experimenter = served.visitor(None)
    experimenter.post("/experimenter/login", token=TOKEN)
    page = experimenter.get("/experimenter/drawn/")
    assert "preferred, % [95 %]" in page.text
    assert "fooled" not in page.text.lower()
    assert "obvious fakes that were found more natural than the real picture" in page.text
    assert ">several<" in experimenter.get("/experimenter/drawn/participants/").text
    archive = zipfile.ZipFile(io.BytesIO(experimenter.get("/experimenter/drawn/data.zip").body))
    description = json.loads(archive.read("drawn-data/codebook.json"))["description"]
    assert "in the colours of two algorithms" in description
    (table,) = [name for name in archive.namelist() if "trials_data" in name]
    assert pd.read_csv(archive.open(table))["preferred"].notna().sum() == 8


@pytest.mark.slow
def test_a_preference_by_keyboard(serve: Callable[..., Served], tmp_path: Path, context: BrowserContext) -> None:
    five = PREFERENCE.model_copy(update={"practice": 1, "test": 3, "checks": 1})
    served = serve(made(tmp_path, five))
    page, complaints = open_page(context, f"{served.address}/e/drawn/")
    begin(page)
    for number in range(1, five.photographs + 1):
        assert asked(page) == number
        expect(page.locator("#said")).to_have_text("Which one looks more natural?")
        page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert choices(served) == {1: "left", 2: "right", 3: "left", 4: "right", 5: "left"}
    assert complaints == []


@pytest.mark.slow
def test_the_other_designs_ask_for_the_fake(tmp_path: Path, serve: Callable[..., Served]) -> None:
    served = serve(made(tmp_path, WITHIN))
    visitor = served.visitor()
    assert "choose the one whose colours you believe to be made up" in visitor.get("./").text
    visitor.take_part(lambda number: "left")
    experimenter = served.visitor(None)
    experimenter.post("/experimenter/login", token=TOKEN)
    page = experimenter.get("/experimenter/drawn/").text
    assert "all algorithms" in page
    assert "fooled, % [95 %]" in page


def test_a_translation_words_a_design_too(tmp_path: Path) -> None:
    file = tmp_path / "de.yaml"
    file.write_text("language: de\npreference: {trial: {question: 'Paar {number}: Welches wirkt echter?'}}", "utf-8")
    texts = load_texts(file)
    assert texts_of_design(texts, "preference")["trial"]["question"] == "Paar {number}: Welches wirkt echter?"
    assert texts_of_design(texts, "preference")["trial"]["left"] == "Left"
    for design in ("between", "within"):
        assert texts_of_design(texts, design)["trial"]["question"] == "Which one is the fake?"
    assert "preference" not in texts_of_design(texts, "between")


def test_a_bundle_says_what_does_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="with_real is for design=preference"):
        Protocol(with_real=True)
    with pytest.raises(ValidationError, match="points is for design=rating"):
        Protocol(points=5)
    manifest = made(tmp_path, PREFERENCE).manifest.model_dump()
    alone = [{**each, "recolored": each["recolored"][:1]} for each in manifest["stimuli"]]
    one = {**manifest, "algorithms": manifest["algorithms"][:1], "stimuli": alone}
    with pytest.raises(ValidationError, match="design=preference compares at least two algorithms"):
        Manifest.model_validate(one)
    named = [Algorithm(name=name).model_dump() for name in ("a", "b", REAL)]
    protocol = WITH_REAL.model_dump()
    with pytest.raises(ValidationError, match="an algorithm is called real"):
        Manifest.model_validate({**manifest, "algorithms": named, "protocol": protocol})


def test_what_was_built_before_there_were_designs_keeps_its_checksum() -> None:
    assert not {"design", "with_real"}.intersection(Protocol().model_dump(mode="json"))
    assert {"design", "with_real"} < WITHIN.model_dump(mode="json").keys()
    assert "points" not in WITHIN.model_dump(mode="json")
    rating = Protocol(design="rating", points=5)
    for protocol in (Protocol(), PREFERENCE, WITH_REAL, WITHIN, rating):
        assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol


def test_comparisons_have_one_order(tmp_path: Path) -> None:
    found = comparisons(made(tmp_path, WITH_REAL).manifest)
    assert [(each.algorithm, each.other) for each in found] == list(combinations([*NAMES, REAL], 2))


def test_answers_are_typed_where_nobody_has_any(tmp_path: Path, database: Database) -> None:
    opened(database, made(tmp_path, PREFERENCE))
    answers: Answers = read_answers(database, "drawn")
    found = analyse(answers, None)
    assert found.rates.empty
    assert found.summary["answer"] == [f"No answer counts yet of {'; '.join(NAMES)}."]
    assert trials_table(answers).empty
