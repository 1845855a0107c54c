"""The analysis: pictures to show, sentences, and exclusions."""

import numpy as np
import pandas as pd
import pytest

from ablate.turing.analyse.analysis import (
    LEAST,
    MOST,
    SEEN,
    SHOWN,
    analyse,
    answer_sentences,
    by_photograph,
    most_and_least_convincing,
)
from ablate.turing.analyse.rates import compare_rates, fooling_rates
from ablate.turing.analyse.simulation import DEVIATIONS, draw_answers
from ablate.turing.bundle import Algorithm
from ablate.turing.database import Answers
from ablate.turing.protocol import Protocol

PROTOCOL = Protocol(practice=0, test=20, checks=0)
EXPOSURE = "pictures not seen for 1,000 ± 100 ms, or who knows how long"
START = pd.Timestamp("2026-01-01", tz="UTC")


def answers(*rates: float, participants: int = 10, names: str = "abcd", seed: int = 0, **changes: object) -> Answers:
    """Make an experiment whose algorithms fool that often."""
    drawn = draw_answers(
        DEVIATIONS[0],
        rates,
        participants=participants,
        trials=PROTOCOL.test,
        photographs=30,
        random=np.random.default_rng(seed),
    )
    algorithm, photograph = drawn["algorithm"].map(lambda place: names[place]), drawn["photograph"].astype(str)
    trials = drawn.assign(
        algorithm=algorithm,
        photograph="photo" + photograph,
        real="real" + photograph,
        recolored=algorithm + photograph,
        number=drawn.groupby("participant").cumcount() + 1,
        kind="test",
        exposure_ms=1000.0,
        response_ms=700.0 + 100 * drawn["algorithm"],
        loads=1,
        shown=True,
        missed=False,
        real_side=np.where(np.arange(len(drawn)) % 2, "left", "right"),
        answered=START,
    ).assign(choice=lambda frame: np.where(frame["fooled"] == (frame["real_side"] == "left"), "left", "right"))
    people = trials.drop_duplicates("participant").set_index("participant")[["algorithm"]]
    made = {
        "experiment": "made",
        "study": "hand",
        "checksum": "c" * 64,
        "folder": None,
        "protocol": PROTOCOL,
        "algorithms": [
            Algorithm(name=names[0], run_id="run-a", seed=0),
            *(Algorithm(name=name) for name in names[1 : len(rates)]),
        ],
        "closed": True,
        "participants": people.assign(color_vision="normal", started=START, finished=START, screened_out=pd.NaT),
        "trials": trials.sample(frac=1, random_state=0),
    }
    return Answers(**{**made, **changes})  # type: ignore[arg-type]


@pytest.mark.slow
def test_rates_and_pairs_are_in_the_bundles_order_however_trials_come() -> None:
    found = analyse(answers(0.3, 0.5, 0.1), None)
    assert found.rates["algorithm"].tolist() == ["a", "b", "c"]
    assert list(zip(found.pairs["algorithm"], found.pairs["other"], strict=True)) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    assert found.rates["median_response_ms"].tolist() == [700.0, 800.0, 900.0]
    assert found.rates["trials"].tolist() == [200, 200, 200]
    assert found.runs == {"a": "run-a"}
    assert found.pictures.empty
    trials = answers(0.3, 0.5, 0.1).trials.query("algorithm == 'b'")
    assert found.rates.loc[1, "rate"] == pytest.approx(100 * trials["fooled"].mean())


def test_what_is_left_out_counts_nowhere() -> None:
    made = answers(0.3, 0.5)
    people = made.participants.assign(finished=made.participants["finished"].where(made.participants.index > 3))
    exposure = made.trials["exposure_ms"].where(made.trials["participant"] != 4, np.nan)
    found = analyse(_with(made, people, exposure), None)
    assert found.rates["participants"].tolist() == [5, 10]
    assert found.summary["participants"] == {"started": 20, "finished": 16, "kept": 15, "withdrawn": 0}
    assert found.summary["trials"] == {"kept": 300}
    assert found.exclusions.set_index("rule").loc["session not finished"].tolist() == [4, 80]
    assert found.exclusions.set_index("rule").loc[EXPOSURE].tolist() == [1, 20]
    assert found.photographs["trials"].sum() == 300


def _with(made: Answers, people: pd.DataFrame, exposure: "pd.Series[float]") -> Answers:
    return Answers(**{**vars(made), "participants": people, "trials": made.trials.assign(exposure_ms=exposure)})


def test_pictures_are_read_once_chosen() -> None:
    found = analyse(answers(0.3, 0.5), lambda file: f"PNG of {file}".encode())
    assert len(found.pictures) == 2 * 2 * SHOWN
    row = found.pictures.iloc[0]
    assert row["real"] == f"PNG of real{row['photograph'].removeprefix('photo')}".encode()
    assert row["recolored"] == f"PNG of a{row['photograph'].removeprefix('photo')}".encode()
    assert (row["place"], row["rank"]) == (MOST, 1)


def shown(*counted: tuple[int, int]) -> pd.DataFrame:
    """Make photographs of one algorithm that were judged so often, and fooled so often."""
    frame = pd.DataFrame(counted, columns=["trials", "fooled"])
    names = [f"{place:02}" for place in range(len(frame))]
    return frame.assign(
        algorithm="a", photograph=names, real=names, recolored=names, rate=100 * frame["fooled"] / frame["trials"]
    )


def test_the_most_and_least_convincing_pictures_are_those() -> None:
    often = [(10, fooled) for fooled in range(11)] + [(5, 5), (5, 0)]
    chosen = most_and_least_convincing(shown((2, 2), (1, 0), *often))
    most, least = (chosen[chosen["place"] == place] for place in (MOST, LEAST))
    # Judged fewer than three times, the first two are left out; of equal rates the one with more trials is first.
    assert most["photograph"].tolist() == ["12", "13", "11", "10", "09", "08"]
    assert least["photograph"].tolist() == ["02", "14", "03", "04", "05", "06"]
    assert most["rank"].tolist() == least["rank"].tolist() == list(range(1, SHOWN + 1))
    assert chosen.columns.tolist() == [
        "algorithm", "photograph", "place", "rank", "trials", "rate", "real", "recolored",
    ]  # fmt: skip


@pytest.mark.parametrize("count", range(1, 2 * SHOWN + 2))
def test_few_pictures_are_shown_in_one_place_each(count: int) -> None:
    chosen = most_and_least_convincing(shown(*((1, place % 2) for place in range(count))))
    assert chosen["photograph"].is_unique
    assert len(chosen) == min(count, 2 * SHOWN)
    assert (chosen["place"] == MOST).sum() - (chosen["place"] == LEAST).sum() in (0, 1)


def test_pictures_are_chosen_for_each_algorithm_and_the_same_every_time() -> None:
    photographs = by_photograph(answers(0.3, 0.5, participants=4).trials.sort_values("algorithm"))
    assert (photographs["trials"] < SEEN).any()
    chosen = most_and_least_convincing(photographs)
    assert chosen.groupby(["algorithm", "place"]).size().tolist() == [SHOWN] * 4
    shuffled = photographs.sample(frac=1, random_state=3).sort_values("algorithm", kind="stable")
    pd.testing.assert_frame_equal(chosen, most_and_least_convincing(shuffled))


def test_crops_of_one_photograph_are_pictures_of_their_own() -> None:
    trials = answers(0.3).trials.assign(photograph="the same")
    photographs = by_photograph(trials)
    assert len(photographs) == trials["real"].nunique()
    assert photographs["fooled"].sum() == trials["fooled"].sum()
    assert photographs["rate"].to_numpy() == pytest.approx(100 * photographs["fooled"] / photographs["trials"])


def said(*rates: float, names: str = "abcd", participants: int = 30) -> list[str]:
    trials = answers(*rates, names=names, participants=participants).trials.sort_values("algorithm", kind="stable")
    return answer_sentences(list(names), fooling_rates(trials), compare_rates(trials))


def test_sentences_say_what_was_found() -> None:
    lines = said(0.1, 0.5, 0.9, names="abc")
    assert lines[0].startswith("Recoloured pictures were taken for the real ones in so many of the trials: c ")
    assert lines[0].index("; b ") < lines[0].index("; a ")
    assert lines[1] == "Below the 50 % of chance: a (p <0.001)."
    assert lines[2] == "Above the 50 % of chance: c (p <0.001)."
    assert lines[3].startswith("No difference found from the 50 % of chance: b (p = ")
    assert len(lines) == 7
    assert all(" fools more often than " in line and line.endswith("points, p <0.001.") for line in lines[4:])
    assert any(line.startswith("c fools more often than a: by ") for line in lines[4:])


def test_where_nothing_was_found_it_says_what_would_have_been() -> None:
    lines = said(0.5, 0.5, names="ab")
    assert lines[-1].startswith("Of 1 pair no difference was found. The minimum detectable effect is ")
    assert lines[-1].endswith(" points.")


def test_who_was_not_judged_or_by_one_is_named() -> None:
    assert said(0.4, names="ab")[0] == "No answer counts yet of b."
    lines = said(0.4, 0.4, names="ab", participants=1)
    assert lines[1] == "Judged by one participant, so that nothing is known of other people: a; b."
    assert len(lines) == 2


def test_no_answers_are_said_to_be_none() -> None:
    made = answers(0.3, 0.5)
    found = analyse(
        Answers(**{**vars(made), "trials": made.trials.iloc[:0], "participants": made.participants.iloc[:0]}), None
    )
    assert found.summary["answer"] == ["No answer counts yet of a; b."]
    assert found.rates.empty
    assert found.pairs.empty
    assert found.photographs.empty
    assert found.pictures.empty
