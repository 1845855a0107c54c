"""The classifier two-sample test finds what there is, and no more."""

import numpy as np
import pytest

from ablate.turing.build.two_sample import CLASSIFIERS, best_statistic, chance, found_out

PAIRS = 300
PHOTOGRAPHS = [str(number // 3) for number in range(PAIRS)]


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_noise_tells_nothing(classifier: str) -> None:
    differences = np.random.default_rng(0).standard_t(2, (PAIRS, 30))
    assert abs(found_out(differences, PHOTOGRAPHS, classifier=classifier) - 0.5) < chance(PAIRS)
    assert best_statistic(differences, [str(place) for place in range(30)])[1] < 0.5 + 1.2 * chance(PAIRS)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_a_tiny_difference_that_is_always_there_is_found(classifier: str) -> None:
    random = np.random.default_rng(1)
    differences = random.normal(size=(PAIRS, 30))
    differences[:, 7] = random.uniform(0.01, 0.02, PAIRS) * np.where(random.random(PAIRS) < 0.001, -1, 1)
    differences[:, 7] *= 10.0 ** random.uniform(-3, 3, PAIRS)
    assert found_out(differences, PHOTOGRAPHS, classifier=classifier) > 0.9
    assert best_statistic(differences, [str(place) for place in range(30)])[0] == "7"


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_no_pair_of_a_photograph_is_learnt_from_and_told(classifier: str) -> None:
    random = np.random.default_rng(2)
    sign = random.choice([-1.0, 1.0], PAIRS // 3)
    # Of each photograph the sign of one statistic of its own, which others do not have.
    differences = np.kron(np.diag(sign), np.ones((3, 1))) * random.uniform(1, 2, (PAIRS, 1))
    assert abs(found_out(differences, PHOTOGRAPHS, classifier=classifier) - 0.5) < chance(PAIRS)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_pictures_that_are_the_same_are_told_by_chance(classifier: str) -> None:
    assert found_out(np.zeros((PAIRS, 5)), PHOTOGRAPHS, classifier=classifier) == 0.5
