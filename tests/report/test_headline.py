"""The first sentence of a report: what helps, what hurts, and how many more seeds would decide the rest."""

import math
from typing import Any

import pandas as pd
import pytest

from ablate.report.compare import BETTER, EQUIVALENT, HIGHER, LOWER, NO_DIFFERENCE, NOT_COMPARABLE, WORSE
from ablate.report.headline import effects_headline, headline

OPEN = NO_DIFFERENCE
Row = tuple[str, float, float, float, str]


def said(*rows: Row, seeds: int = 3, more: dict[str, float] | None = None, **options: Any) -> str:
    own = pd.DataFrame(rows, columns=["variant", "difference", "low", "high", "verdict"]).assign(n_paired=seeds)
    given: dict[str, Any] = {"label": "AuC", "unit": "points", "higher_is_better": True, "margin": None}
    return headline(own, more or {}, **{**given, "example": "photograph", **options})


@pytest.mark.parametrize(
    ("rows", "options", "sentence"),
    [
        (
            [("a", 2.13, 1.02, 3.24, BETTER), ("b", -31.0, -49.3, -12.4, WORSE), ("c", 0.5, -1.0, 2.0, OPEN)],
            {"more": {"c": 4.0}},
            "Against the baseline, a helps (AuC 2.1 points higher, very likely between 1.0 and 3.2); b hurts (AuC 31 "
            "points lower, very likely between 12 and 49); c may help or hurt: about 4 more seeds would tell.",
        ),
        (
            [("a", -2.0, -3.0, -1.0, BETTER), ("b", -4.0, -5.0, -3.0, BETTER)],
            {"higher_is_better": False, "unit": "", "label": "RMSE"},
            "Against the baseline, b and a help (RMSE 4.0 and 2.0 lower).",
        ),
        (
            [(name, 9.0 - place, 0.5, 20.0, WORSE) for place, name in enumerate("abcd")],
            {"higher_is_better": False, "unit": "ms"},
            "Against the baseline, 4 variants hurt, most of all a (AuC 9.0 ms higher, very likely between 0.5 and "
            "20.0).",
        ),
        (
            [("a", 2.0, 1.0, 3.0, HIGHER), ("b", -5.0, -7.0, -3.0, LOWER), ("c", 1.0, -2.0, 4.0, OPEN)],
            {"higher_is_better": None, "more": {"c": 1.0}},
            "Against the baseline, a raises AuC (by 2.0 points, very likely between 1.0 and 3.0); b lowers AuC (by "
            "5.0 points, very likely between 3.0 and 7.0); c may raise or lower it: about 1 more seed would tell.",
        ),
        (
            [("a", -1.0, -1.0, -1.0, WORSE), ("b", 2.0, 1.0, math.inf, BETTER)],
            {},
            "Against the baseline, b helps (AuC 2.000 points higher, very likely between 1.000 and ∞); a hurts (AuC "
            "1.000 points lower, for every seed and example alike).",
        ),
        (
            [("a", 0.1, -0.3, 0.4, EQUIVALENT), ("b", 0.2, 0.1, 0.3, EQUIVALENT)],
            {"margin": 0.5},
            "By AuC, against the baseline, b and a make no difference that matters (more than 0.5 points).",
        ),
        (
            [("a", 0.0, 0.0, 0.0, OPEN), ("b", math.nan, math.nan, math.nan, NOT_COMPARABLE)],
            {},
            "By AuC, against the baseline, a makes no difference at all; b cannot be compared.",
        ),
        (
            [("a", 1.0, -1.0, 3.0, OPEN), ("b", 2.0, -3.0, 7.0, OPEN)],
            {"more": {"a": 3.0, "b": math.inf}},
            "By AuC, against the baseline, a (about 3 more seeds would tell) and b (more than 30 seeds or more "
            "photographs) may help or hurt.",
        ),
        (
            [("a", 1.0, -1.0, 3.0, OPEN), ("b", 2.0, -3.0, 7.0, OPEN)],
            {"more": {"a": math.inf, "b": math.inf}, "example": ""},
            "By AuC, against the baseline, b and a may help or hurt: more than 30 seeds would tell.",
        ),
        (
            [(name, 1.0, -1.0, 3.0, OPEN) for name in "abcd"],
            {"more": {"a": math.inf, "b": 12.0, "c": 7.0, "d": math.nan}},
            "By AuC, against the baseline, 4 variants may help or hurt: of c, about 7 more seeds would tell.",
        ),
        (
            [("a", 9.0, 8.0, 10.0, BETTER), *((name, 1.0, -1.0, 3.0, OPEN) for name in "bcde")],
            {"more": dict.fromkeys("bcde", math.inf)},
            "Against the baseline, a helps (AuC 9.0 points higher, very likely between 8.0 and 10.0); 4 others may "
            "help or hurt: more than 30 seeds or more photographs would tell.",
        ),
        (
            [("a", 9.0, 8.0, 10.0, BETTER), ("b", 1.0, -1.0, 3.0, OPEN)],
            {"seeds": 1, "more": {"b": math.nan}},
            "With the one seed that was tried, against the baseline, a helps (AuC 9.0 points higher, very likely "
            "between 8.0 and 10.0); b may help or hurt: only more seeds would tell.",
        ),
        (
            [("a", 1.0, -1.0, 3.0, OPEN)],
            {"seeds": 1},
            "By AuC, with the one seed that was tried, against the baseline, a may help or hurt: only more seeds "
            "would tell.",
        ),
    ],
)
def test_the_sentence(rows: list[Row], options: dict[str, Any], sentence: str) -> None:
    assert said(*rows, **options) == sentence


def test_it_stays_short_with_many_variants() -> None:
    verdicts = [BETTER, WORSE, EQUIVALENT, NO_DIFFERENCE, NOT_COMPARABLE]
    rows = [(f"factor_{place}=level", 1.0, 0.5, 1.5, verdicts[place % 5]) for place in range(200)]
    sentence = said(*rows, margin=2.0, more={name: 4.0 for name, *_ in rows})
    assert len(sentence) < 500
    assert sentence.count("40 ") == 5


EFFECTS = pd.DataFrame(
    [
        ("size=small", "main", -0.5, -0.9, -0.1, 0.01),
        ("depth=shallow", "main", 2.0, 1.0, 3.0, 0.001),
        ("drop=light", "main", 0.1, -0.5, 0.7, 0.9),
        ("size=small × depth=shallow", "interaction", 0.2, -0.5, 0.9, 0.8),
    ],
    columns=["effect", "kind", "estimate", "low", "high", "p"],
)


@pytest.mark.parametrize(
    ("higher", "first", "second"),
    [
        (
            True,
            "depth=shallow helps (AuC 2.0 higher, {deep})",
            "size=small hurts (AuC 0.50 lower, {small})",
        ),
        (
            False,
            "size=small helps (AuC 0.50 lower, {small})",
            "depth=shallow hurts (AuC 2.0 higher, {deep})",
        ),
        (None, "depth=shallow raises AuC (by 2.0, {deep})", "size=small lowers AuC (by 0.50, {small})"),
    ],
)
def test_the_effects_of_factors_are_a_sentence(higher: bool | None, first: str, second: str) -> None:
    sizes = {"deep": "very likely between 1.0 and 3.0", "small": "very likely between 0.10 and 0.90"}
    assert effects_headline(EFFECTS, label="AuC", unit="", higher_is_better=higher) == (
        f"Averaged over the other factors, {first.format(**sizes)}; {second.format(**sizes)}; "
        "of drop=light no effect was found; no interaction was found."
    )


def test_interactions_are_named_and_where_there_is_no_effect_the_metric_is() -> None:
    unclear = EFFECTS.assign(low=-3.0, high=3.0)
    said = effects_headline(unclear, label="AuC", unit="", higher_is_better=True)
    assert said == (
        "By AuC, averaged over the other factors, of depth=shallow, size=small and drop=light no effect was found; "
        "no interaction was found."
    )
    unclear.loc[3, "low"] = 0.1
    said = effects_headline(unclear, label="AuC", unit="", higher_is_better=True)
    assert said.endswith("found; an interaction: size=small × depth=shallow (+0.2 [+0.1, +3.0]).")
