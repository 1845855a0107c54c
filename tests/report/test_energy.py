"""The energy of runs in a report: how it is known stands where it stands."""

from pathlib import Path

import mlflow
import pytest

from ablate.report.checklist import checklist
from ablate.report.deviations import plan_of
from ablate.report.load import load
from ablate.report.report import Report, make_report
from ablate.system.energy_meter import ESTIMATE, NVML, RAPL, methods_text
from ablate.tracking.names import ENERGY, ENERGY_TAG
from ablate.tracking.study_record import read_study

pytestmark = pytest.mark.slow


def report(home: Path, *methods: str, kwh: float = 0.0123) -> Report:
    """Give the runs of the hand-made study energies, known in these ways by turns, and report."""
    uri = f"sqlite:///{home / 'mlflow.db'}"
    client = mlflow.MlflowClient(uri)
    for place, run in enumerate(read_study("hand", uri).runs.index):
        client.log_metric(run, ENERGY, kwh + place / 1e4)
        client.set_tag(run, ENERGY_TAG, methods[place % len(methods)])
    return make_report(load(read_study("hand", uri)))


def energy(made: Report) -> str:
    items = checklist(made.results, plan_of(made.results))
    return next(item.text for item in items if item.question == "How much energy?")


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        (RAPL, "measured"),
        (ESTIMATE, "estimated"),
        (methods_text({ESTIMATE, NVML}), "partly estimated"),
    ],
)
def test_energies_that_are_known_in_one_way_are_compared(hand_made: Path, method: str, kind: str) -> None:
    made = report(hand_made, method)
    table = made.tables["cost"]
    column = table.headings.index(f"Energy, {kind}, Wh")
    baseline, other = table.rows[0][column], table.rows[1][column]
    assert baseline.text.startswith("12.")
    assert (baseline.detail, other.detail[0] in "+-") == ("", True)
    assert f"Energy: {method}." in table.note
    assert "all else but energy is measured" in table.note
    assert f"{kind}; {method.split('; ')[0]}" in energy(made)
    assert "Wh a run" in energy(made)


def test_energies_that_are_known_in_different_ways_are_not_compared(hand_made: Path) -> None:
    made = report(hand_made, RAPL, ESTIMATE)
    table = made.tables["cost"]
    column = table.headings.index("Energy, measured and estimated, Wh")
    assert {row[column].detail for row in table.rows} == {""}
    assert f"not compared: {RAPL} / {ESTIMATE}." in table.note
    assert "measured and estimated; " in energy(made)
    # Other costs are compared as before.
    seconds = table.headings.index("Training, s")
    assert table.rows[1][seconds].detail


def test_without_energies_nothing_is_said_of_them(hand_made: Path) -> None:
    made = make_report(load(read_study("hand", f"sqlite:///{hand_made / 'mlflow.db'}")))
    assert not any("Energy" in heading for heading in made.tables["cost"].headings)
    assert "nergy" not in made.tables["cost"].note
    assert "it was not tracked" in energy(made)
