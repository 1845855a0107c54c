"""Assignment is random, balanced, and from the seed alone."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ablate.errors import DataError
from ablate.turing.bundle import Bundle
from ablate.turing.protocol import Protocol
from ablate.turing.serve.assignment import assign_algorithm, assign_trials
from ablate.turing.serve.command import main as serve
from tests.support.bundles import SHORT, make_bundle


@pytest.mark.parametrize("algorithms", [1, 2, 3, 7])
def test_assignment_is_balanced_at_every_moment(algorithms: int) -> None:
    counts = [0] * algorithms
    for place in range(60):
        counts[assign_algorithm(5, place, counts)] += 1
        assert max(counts) - min(counts) <= 1


def test_who_dropped_out_is_replaced_first() -> None:
    assert {assign_algorithm(seed, 9, [3, 1, 3]) for seed in range(20)} == {1}
    assert {assign_algorithm(seed, 9, [1, 3, 1]) for seed in range(20)} == {0, 2}


def test_assignment_cannot_be_foreseen_without_the_seed() -> None:
    firsts = Counter(assign_algorithm(seed, 0, [0, 0, 0]) for seed in range(300))
    assert len(firsts) == 3
    assert all(abs(count - 100) < 5 * 100**0.5 for count in firsts.values())


def test_trials_come_from_the_seed_and_the_place(bundle: Bundle) -> None:
    one = assign_trials(bundle.manifest, seed=11, algorithm=0, place=4)
    assert one == assign_trials(bundle.manifest, seed=11, algorithm=0, place=4)
    assert one != assign_trials(bundle.manifest, seed=11, algorithm=0, place=5)
    assert one != assign_trials(bundle.manifest, seed=12, algorithm=0, place=4)


def test_a_participant_sees_each_photograph_once_by_one_algorithm(bundle: Bundle) -> None:
    for place in range(30):
        drawn = assign_trials(bundle.manifest, seed=11, algorithm=1, place=place)
        assert [trial.kind for trial in drawn[: SHORT.practice]] == ["practice"] * SHORT.practice
        assert Counter(trial.kind for trial in drawn) == {
            "practice": SHORT.practice, "test": SHORT.test, "check": SHORT.checks,
        }  # fmt: skip
        assert len({trial.real for trial in drawn}) == SHORT.photographs
        by_real = {stimulus.real: stimulus for stimulus in bundle.manifest.stimuli}
        for trial in drawn:
            stimulus = by_real[trial.real]
            assert trial.recolored == (stimulus.check if trial.kind == "check" else stimulus.recolored[1])


def test_no_photograph_of_the_test_was_shown_in_practice_or_beside_an_obvious_fake(tmp_path: Path) -> None:
    manifest = make_bundle(tmp_path / "few", photographs=4, crops=5, side=16).manifest
    tested = Counter[str]()
    for place in range(200):
        drawn = assign_trials(manifest, seed=11, algorithm=1, place=place)
        assert len({trial.real for trial in drawn}) == len(drawn) == SHORT.photographs
        shown = {kind: {trial.photograph for trial in drawn if trial.kind == kind} for kind in SHORT.trials}
        assert {kind: len(photographs) for kind, photographs in shown.items()} == {
            "practice": 1, "test": 2, "check": 1,
        }  # fmt: skip
        assert len(set.union(*shown.values())) == 4
        tested.update(trial.photograph for trial in drawn if trial.kind == "test")
    assert all(abs(count - 200) < 5 * (4 * 50) ** 0.5 for count in tested.values())


def test_with_one_crop_of_each_photograph_all_is_drawn_at_once(bundle: Bundle) -> None:
    for place in range(20):
        random = np.random.default_rng([11, 1, place])
        chosen = random.choice(len(bundle.manifest.stimuli), SHORT.photographs, replace=False)
        drawn = assign_trials(bundle.manifest, seed=11, algorithm=0, place=place)
        assert [trial.real for trial in drawn] == [bundle.manifest.stimuli[number].real for number in chosen]


@pytest.mark.parametrize(
    ("crops", "expected"),
    [
        ([1] * 9, {"practice": 2, "test": 4, "check": 1}),
        ([1] * 7, {"practice": 2, "test": 4, "check": 1}),
        ([1] * 6, None),
        ([9, 9, 9], {"practice": 1, "test": 1, "check": 1}),
        ([9, 9], None),
        ([4, 4, 4], {"practice": 1, "test": 1, "check": 1}),
        ([3, 3, 3], None),
        ([3, 3, 3, 3], {"practice": 1, "test": 2, "check": 1}),
        ([1, 9, 9, 9, 9], {"practice": 2, "test": 2, "check": 1}),
        ([2, 2, 2, 2, 2, 2], {"practice": 1, "test": 4, "check": 1}),
        ([], None),
    ],
)
def test_photographs_are_shared_out(crops: list[int], expected: dict[str, int] | None) -> None:
    assert SHORT.shares(crops) == expected


def test_whatever_photographs_there_are_what_is_shared_out_can_be_drawn() -> None:
    random = np.random.default_rng(0)
    drawable = 0
    for _ in range(300):
        protocol = Protocol(practice=random.integers(0, 6), test=random.integers(1, 12), checks=random.integers(0, 4))
        counts = random.integers(1, 6, random.integers(1, 9))
        if protocol.shares(counts.tolist()) is None:
            continue
        drawable += 1
        names = [f"{photograph} {crop}" for photograph, count in enumerate(counts) for crop in range(count)]
        stimuli = [SimpleNamespace(photograph=name[0], real=name, recolored=[name], check=name) for name in names]
        manifest = SimpleNamespace(protocol=protocol, stimuli=stimuli, name="any")
        drawn = assign_trials(manifest, seed=1, algorithm=0, place=0)
        assert Counter(trial.kind for trial in drawn) == Counter(protocol.trials)
        assert len({trial.real for trial in drawn}) == len(drawn)
        assert len({(trial.photograph, trial.kind) for trial in drawn}) == len({trial.photograph for trial in drawn})
    assert drawable > 50


def test_a_bundle_with_too_few_photographs_is_not_served(tmp_path: Path) -> None:
    old = Protocol(practice=2, test=8, checks=2)
    bundle = make_bundle(tmp_path / "old", "old", protocol=old, photographs=3, crops=5, side=16)
    with pytest.raises(DataError, match="the bundle old has 3 photographs, too few for practice, test and checks"):
        serve([str(bundle.folder)])


def test_sides_photographs_and_places_of_checks_are_even(bundle: Bundle) -> None:
    drawn = [assign_trials(bundle.manifest, seed=11, algorithm=0, place=place) for place in range(400)]
    left = sum(trial.real_side == "left" for trials in drawn for trial in trials)
    total = 400 * SHORT.photographs
    # Four standard deviations of fair coins.
    assert abs(left - total / 2) < 4 * (total / 4) ** 0.5
    checks = Counter(place for trials in drawn for place, trial in enumerate(trials) if trial.kind == "check")
    assert set(checks) == set(range(SHORT.practice, SHORT.photographs))
    shown = Counter(trial.photograph for trials in drawn for trial in trials)
    expected = total / len(bundle.manifest.stimuli)
    assert all(abs(count - expected) < 5 * expected**0.5 for count in shown.values())
