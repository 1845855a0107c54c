"""What participants are shown is drawn at random, balanced, and from the seed alone."""

from collections import Counter

import pytest

from ablate.turing.bundle import Bundle
from ablate.turing.drawing import assigned, draw_trials
from turing.conftest import SHORT


@pytest.mark.parametrize("algorithms", [1, 2, 3, 7])
def test_assignment_is_balanced_at_every_moment(algorithms: int) -> None:
    counts = Counter(dict.fromkeys(range(algorithms), 0))
    for place in range(60):
        counts[assigned(5, place, algorithms)] += 1
        assert max(counts.values()) - min(counts.values()) <= 1


def test_assignment_cannot_be_foreseen_without_the_seed() -> None:
    blocks = {tuple(assigned(seed, place, 3) for place in range(3)) for seed in range(100)}
    assert len(blocks) == 6


def test_trials_come_from_the_seed_and_the_place(bundle: Bundle) -> None:
    one = draw_trials(bundle.manifest, seed=11, algorithm=0, place=4)
    assert one == draw_trials(bundle.manifest, seed=11, algorithm=0, place=4)
    assert one != draw_trials(bundle.manifest, seed=11, algorithm=0, place=5)
    assert one != draw_trials(bundle.manifest, seed=12, algorithm=0, place=4)


def test_a_participant_sees_each_photograph_once_by_one_algorithm(bundle: Bundle) -> None:
    for place in range(30):
        drawn = draw_trials(bundle.manifest, seed=11, algorithm=1, place=place)
        assert [trial.kind for trial in drawn[: SHORT.practice]] == ["practice"] * SHORT.practice
        assert Counter(trial.kind for trial in drawn) == {
            "practice": SHORT.practice, "test": SHORT.test, "check": SHORT.checks,
        }  # fmt: skip
        assert len({trial.real for trial in drawn}) == SHORT.photographs
        by_real = {stimulus.real: stimulus for stimulus in bundle.manifest.stimuli}
        for trial in drawn:
            stimulus = by_real[trial.real]
            assert trial.recolored == (stimulus.check if trial.kind == "check" else stimulus.recolored[1])


def test_sides_photographs_and_places_of_checks_are_even(bundle: Bundle) -> None:
    drawn = [draw_trials(bundle.manifest, seed=11, algorithm=0, place=place) for place in range(400)]
    left = sum(trial.real_side == "left" for trials in drawn for trial in trials)
    total = 400 * SHORT.photographs
    # Four standard deviations of fair coins.
    assert abs(left - total / 2) < 4 * (total / 4) ** 0.5
    checks = Counter(place for trials in drawn for place, trial in enumerate(trials) if trial.kind == "check")
    assert set(checks) == set(range(SHORT.practice, SHORT.photographs))
    shown = Counter(trial.photograph for trials in drawn for trial in trials)
    expected = total / len(bundle.manifest.stimuli)
    assert all(abs(count - expected) < 5 * expected**0.5 for count in shown.values())
