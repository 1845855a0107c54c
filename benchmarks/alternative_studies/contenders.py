"""The tools: the command that starts the study, the same that starts it again, and what their own records say."""

import itertools
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ablate.execution.lease import checkpoint_file
from ablate.training.checkpoint import steps_done
from alternative_studies.outcome import Attempt, FinishedRun, Key

HERE = Path(__file__).parent
OPTIMIZERS, OUTPUTS = ("adam", "adadelta"), ("full", "half")
SCALE = "thumbnail"


@dataclass(frozen=True)
class Size:
    """What is run: a prepared set, the same as arrays, seeds of a variant, epochs of a run and steps of an epoch."""

    prepared: Path
    arrays: Path
    seeds: int
    epochs: int
    steps: int

    @property
    def planned(self) -> list[Key]:
        """The runs of the study."""
        return list(itertools.product(OPTIMIZERS, OUTPUTS, range(self.seeds)))

    @property
    def multirun(self) -> list[str]:
        """The study as a sweep of Hydra's."""
        seeds = ",".join(map(str, range(self.seeds)))
        return [f"optimizer={','.join(OPTIMIZERS)}", f"output_res={','.join(OUTPUTS)}", f"seed={seeds}"]

    @property
    def steps_of_study(self) -> int:
        """Steps of all runs."""
        return len(self.planned) * self.epochs * self.steps


class Contender(ABC):
    """A tool with which the study is run; every launch of it happens in a folder of its own."""

    name: str

    def variables(self, folder: Path, size: Size) -> dict[str, str]:
        """Return environment variables."""
        return {
            "STUDY_LEDGER": str(folder / "ledger"),
            "STUDY_EPOCHS": str(size.epochs),
            "STUDY_STEPS": str(size.steps),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "RAY_USAGE_STATS_ENABLED": "0",
        }

    @abstractmethod
    def command(self, size: Size) -> list[str]:
        """Return the command, which is also the one that is given after an interruption."""

    @abstractmethod
    def finished(self, folder: Path) -> list[FinishedRun]:
        """Return the runs that the tool's record shows as finished."""

    def attempts(self, folder: Path, size: Size) -> list[Attempt]:
        """Return every training of a run, interrupted ones too, as the programs' ledger has them."""
        return [_attempt(path) for path in sorted((folder / "ledger").iterdir())]

    def lost_steps(self, folder: Path) -> int:
        """Return how many steps a study that has just been killed has done in vain, where that is known then."""
        return 0

    def repeated_steps(self, folder: Path, size: Size, lost: int) -> int:
        """Return how many steps were done that the finished study does not need."""
        return sum(each.steps for each in self.attempts(folder, size)) - size.steps_of_study


def _attempt(path: Path) -> Attempt:
    optimizer, output_res, seed, began = path.name.split(",")
    numbers = np.fromfile(path, np.float64)
    steps, timed, seconds, ended = numbers.tolist() if len(numbers) else (0, 0, 0.0, float(began) / 1e9)
    return Attempt(
        key=(optimizer, output_res, int(seed)),
        began=float(began) / 1e9,
        ended=ended,
        steps=int(steps),
        seconds=seconds * steps / max(timed, 1),
    )


class Ablate(Contender):
    """This project: a sweep.

    Args:
        overrides: More of the command line.
    """

    name = "ablate"

    def __init__(self, overrides: Sequence[str]):
        self.overrides = overrides

    def variables(self, folder: Path, size: Size) -> dict[str, str]:
        """Return where its store is."""
        return {**super().variables(folder, size), "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}

    def command(self, size: Size) -> list[str]:
        """Return a sweep as Hydra users write it."""
        return [
            *(sys.executable, "-m", "ablate.run", "-m", "study.name=study", f"scale={SCALE}"),
            *("data=prepared", f"data.root={size.prepared}"),
            *(f"training.epochs={size.epochs}", f"training.steps_per_epoch={size.steps}"),
            *size.multirun,
            *self.overrides,
        ]

    def finished(self, folder: Path) -> list[FinishedRun]:
        """Read the study's runs and all their results."""
        from ablate.tracking.names import is_result

        return [
            FinishedRun(_key(run.data.params, ""), {k: v for k, v in run.data.metrics.items() if is_result(k)})
            for run in _mlflow_runs(folder)
        ]

    def attempts(self, folder: Path, size: Size) -> list[Attempt]:
        """Read an undisturbed study's runs: each has one attempt."""
        steps, found = size.epochs * size.steps, []
        for run in _mlflow_runs(folder):
            examples = steps * int(run.data.params["training.batch_size"])
            found.append(
                Attempt(
                    key=_key(run.data.params, ""),
                    began=run.info.start_time / 1000,
                    ended=run.info.end_time / 1000,
                    steps=steps,
                    seconds=examples / run.data.metrics["cost/examples_per_second"],
                )
            )
        return found

    def lost_steps(self, folder: Path) -> int:
        """Return what its runs have reported, at most a second ago, since their checkpoints."""
        reports = list((folder / "checkpoints").glob("*/progress.json"))
        return sum(
            max(json.loads(path.read_text())["step"] - steps_done(checkpoint_file(path.parent)), 0) for path in reports
        )

    def repeated_steps(self, folder: Path, size: Size, lost: int) -> int:
        """Return the steps that were lost: what has finished is not run again."""
        return lost


class PlainHydra(Contender):
    """A script with `@hydra.main`, Keras and MLflow's autologging."""

    name = "plain Hydra"

    def command(self, size: Size) -> list[str]:
        """Return a multirun with the basic launcher."""
        return [sys.executable, str(HERE / "plain_hydra.py"), "-m", f"arrays={size.arrays}", *size.multirun]

    def finished(self, folder: Path) -> list[FinishedRun]:
        """Read MLflow's finished runs."""
        return [
            FinishedRun(
                _key(run.data.params, "study."),
                {name: run.data.metrics[name] for name in ("psnr", "ssim", "ciede2000", "ab_rmse")},
            )
            for run in _mlflow_runs(folder)
        ]


class RayTune(Contender):
    """Ray Tune with a Keras function."""

    name = "Ray Tune"

    def command(self, size: Size) -> list[str]:
        """Return the script, which restores what there is."""
        return [sys.executable, str(HERE / "ray_tune.py"), str(size.arrays), str(size.seeds)]

    def finished(self, folder: Path) -> list[FinishedRun]:
        """Read the table that the script ends with."""
        rows = json.loads((folder / "table.json").read_text())
        return [FinishedRun(_key(row, ""), _scores(row)) for row in rows]


class Optuna(Contender):
    """Optuna with a Keras function, a grid and a SQLite storage."""

    name = "Optuna"

    def command(self, size: Size) -> list[str]:
        """Return the script with a process for each core."""
        cores = len(os.sched_getaffinity(0))
        return [sys.executable, str(HERE / "optuna_study.py"), str(size.arrays), str(size.seeds), str(cores)]

    def finished(self, folder: Path) -> list[FinishedRun]:
        """Read the completed trials."""
        import optuna

        study = optuna.load_study(study_name="study", storage=f"sqlite:///{folder / 'optuna.db'}")
        trials = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
        return [FinishedRun(_key(trial.params, ""), _scores(trial.user_attrs)) for trial in trials]


def _scores(values: dict[str, float]) -> dict[str, float]:
    return {name: values[name] for name in ("psnr", "ssim", "ciede2000", "ab_rmse")}


def _key(values: dict[str, object], prefix: str) -> Key:
    names = (f"{prefix}optimizer", f"{prefix}output_res", f"{prefix}seed")
    optimizer, output_res, seed = (values.get(name, values.get(f"{name}.name")) for name in names)
    return str(optimizer), str(output_res), int(str(seed))


def _mlflow_runs(folder: Path) -> list[object]:
    """Return the finished runs of the experiment `study` in a folder's store."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("study")
    found = client.search_runs([experiment.experiment_id], "attributes.status = 'FINISHED'", max_results=1000)
    return [run for run in found if run.data.tags.get("ablate.type", "training") == "training"]
