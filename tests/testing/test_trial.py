"""Each mistake of a task is found, and its line says what to do."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.cli.command_line import CommandLine
from ablate.testing.before_sweep import try_one_step
from ablate.testing.trial import Trial, try_variant
from ablate.testing.variants import TrialVariant, trial_variants
from ablate.tracking.store import open_store
from tests.support.mistaken import arguments, write_project

Variants = Callable[..., list[TrialVariant]]


@pytest.fixture
def variants(home: Path) -> Variants:
    """Return what would be tried of a task."""
    write_project(home)
    return lambda task: trial_variants(CommandLine(arguments(task)))


IN_A_STEP = {
    "NoMeasures": "NoMeasures has no measures, and a study compares them: measures = {",
    "OwnInit": "OwnInit.__init__(self, **config) must begin with super().__init__(**config)",
    "WrongLength": "measures['accuracy'] must return one value an example, shape (20,). Received: shape (19,)",
    "NotPerExample": "measures['accuracy'] must return one value an example, shape (20,). Received: shape ()",
    "Broadcasts": "the metric error of an example depends on the others beside it, as of point",
    "NotNumeric": "measures['answer'] must return one value an example, shape (20,). Received: list",
    "BreaksInMeasure": "IndexError: index 7 is out of bounds for axis 1 with size 2",
    "DifferentLengths": "inputs and targets must have as many examples. Received: x (60, 3) and y (59,)",
    "OneSet": "OneSet.data() must return (x, y), (x_eval, y_eval). Received: (ndarray, ndarray)",
    "Generator": "data() must return sources with a length",
    "Infinite": "a tf.data.Dataset must be finite: take(n) before it is returned",
    "OneMoreExample": "augment gets a batch and must return as many examples. Received: shapes [(9, 3), (9,)]",
    "Compiled": "Compiled.model() must return a new model each time, not compiled",
    "NoModel": "NoModel.model() must return a keras.Model. Received: str",
    "TooFewOutputs": "class numbers start at 0, and the model needs an output for each",
    "OtherRank": "Does `loss` suit the targets and the model's output?",
    "MissingInData": "the configuration has no width.number; beside it are name, units",
    "MissingKey": "the configuration has no width.number; beside it are name, units",
}
"""What a trial of one step finds, as before a sweep: task, and its line."""
IN_A_CHECK = {
    "NotFinite": "the metric nll is not finite for 1 of 20 examples, as point 3",
    "OtherDataEachTime": "data() gives other evaluation examples each time: seed whatever it draws",
    "AugmentsByNumpy": "augment draws from something else than `rng`",
    "AugmentsByPython": "augment draws from something else than `rng`",
    "UnseededLayer": "the model draws random numbers that no checkpoint keeps",
    "UnseededWeights": "the model starts from other weights each time, whatever the seed",
    "Forgetful": "Net predicts otherwise once it is saved and loaded",
}
"""What `python -m ablate.check` finds in addition."""
WARNED = {
    "Leaking": "20 of 20 evaluation points train as well",
    "AugmentsToNan": "training examples hold NaN or infinite values, which some layers hide",
    "NotSaved": "the model cannot be saved and loaded, so runs keep its weights alone",
}
OWN_LOOPS = {
    "NoFrame": "NoFrame.train must return a DataFrame with one row an example, a mapping of numbers, or both, of the "
    "measures error",
    "MissingMeasure": "MissingMeasure.train must return all measures. Missing: error",
    "OtherExamples": "another seed evaluates other examples, or in another order, by the column `example`",
    "OtherNumber": "another seed evaluates 21 examples instead of 20",
    "BreaksInTrain": "IndexError: list index out of range",
}
OWN_LOOPS_WARNED = {
    "Loop": "fingerprint() is not defined",
    "Lucky": "two trainings with one seed differ in error",
    "SeedNotUsed": "another seed gives the same results to the last digit: is `seed` used?",
}
SOUND = ("Sound", "Subclassed")


def tried(variants: Variants, task: str, folder: Path) -> Trial:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return try_variant(variants(task)[0], folder, os.environ["MLFLOW_TRACKING_URI"], thorough=True)


def lines(trial: Trial, *, wrong: bool) -> list[str]:
    return [str(finding) for finding in trial.findings if finding.wrong == wrong]


@pytest.mark.slow
@pytest.mark.parametrize("task", IN_A_STEP)
def test_one_step_finds_what_would_end_a_run(variants: Variants, task: str) -> None:
    (finding,), _ = try_one_step(variants(task)[0].compose())
    assert finding.wrong
    assert IN_A_STEP[task] in str(finding)
    assert "\n" not in str(finding)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["Sound", "NotFinite"])
def test_one_step_lets_what_trains_pass(variants: Variants, task: str) -> None:
    found, seconds = try_one_step(variants(task)[0].compose())
    assert found == []
    assert seconds is not None
    assert 0 < seconds < 60


@pytest.mark.slow
@pytest.mark.parametrize("task", IN_A_CHECK)
def test_a_check_finds_what_would_make_results_wrong(variants: Variants, task: str, home: Path) -> None:
    (line,) = lines(tried(variants, task, home), wrong=True)
    assert IN_A_CHECK[task] in line


@pytest.mark.slow
@pytest.mark.parametrize("task", WARNED)
def test_a_check_warns_of_what_may_be_meant(variants: Variants, task: str, home: Path) -> None:
    trial = tried(variants, task, home)
    assert lines(trial, wrong=True) == []
    (line,) = lines(trial, wrong=False)
    assert WARNED[task] in line
    assert trial.outcome is not None


@pytest.mark.slow
@pytest.mark.parametrize("task", SOUND)
def test_a_sound_task_has_no_findings(variants: Variants, task: str, home: Path) -> None:
    assert tried(variants, task, home).findings == []


@pytest.mark.slow
@pytest.mark.parametrize("task", OWN_LOOPS)
def test_a_check_finds_the_mistakes_of_own_loops(variants: Variants, task: str, home: Path) -> None:
    (line,) = lines(tried(variants, task, home), wrong=True)
    assert OWN_LOOPS[task] in line


@pytest.mark.slow
@pytest.mark.parametrize("task", OWN_LOOPS_WARNED)
def test_a_check_warns_of_own_loops(variants: Variants, task: str, home: Path) -> None:
    trial = tried(variants, task, home)
    assert lines(trial, wrong=True) == []
    (line,) = lines(trial, wrong=False)
    assert OWN_LOOPS_WARNED[task] in line


def test_the_documentation_lists_every_mistake() -> None:
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text()
    messages = [*IN_A_STEP.values(), *IN_A_CHECK.values(), *WARNED.values(), *OWN_LOOPS.values()]
    for message in [*messages, *OWN_LOOPS_WARNED.values()]:
        assert message in page, message
