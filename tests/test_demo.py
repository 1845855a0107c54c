"""`make demo`: what it would run."""

import json
import re
from pathlib import Path

import pytest

from ablate.colorization.data.sources.sample import SAMPLE
from tests.support.commands import Command

MAKEFILE = Path(__file__).parents[1] / "Makefile"


def command(target: str, module: str) -> list[str]:
    """Return the arguments that a target of the Makefile gives to a module, but for those of the launcher."""
    (recipe,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE.read_text(), re.MULTILINE)
    (given,) = re.findall(rf"-m {module} ([^$@]*)", recipe.replace("\\\n", " "))
    return [each for each in given.split() if not each.startswith(("-", "hydra"))]


@pytest.mark.slow
def test_the_demo_plans_four_variants_of_three_seeds(home: Path, forked_m: Command) -> None:
    planned = forked_m("ablate.plan", *command("demo", "ablate.run"), "--json")
    assert planned.returncode == 0, planned.stderr
    runs = json.loads(planned.stdout)["runs"]
    assert len(runs) == 12
    assert {run["variant"] for run in runs} == {
        "baseline", "loss=regression", "loss=unweighted", "output_res=half",
    }  # fmt: skip
    assert {run["seed"] for run in runs} == {0, 1, 2}


def test_the_demo_reports_on_what_it_runs() -> None:
    assert "experiment=demo" in command("demo", "ablate.run")
    assert "study=demo" in command("demo", "ablate.report")
    assert "make demo" in (MAKEFILE.parent / "README.md").read_text()
    assert sum(map(len, SAMPLE.values())) == 8
