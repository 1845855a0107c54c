"""The study in Optuna with a Keras function; run again after an interruption, it does what is left.

    python optuna_study.py ARRAYS SEEDS PROCESSES

Optuna's documentation: `GridSampler` with a fixed seed for every process; processes that share a storage, as threads
share Python's lock ("Easy parallelization: multi-process"); `RDBStorage` with a heartbeat and a callback that queues
trials again whose process has died ("Save/resume study", "Monitor trials using heartbeat"); `load_if_exists`.
"""

import math
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import optuna

GRID: dict[str, list[Any]] = {
    "optimizer": ["adam", "adadelta"],
    "output_res": ["full", "half"],
    "seed": list(range(int(sys.argv[2]))),
}
HEARTBEAT_SECONDS = 10


def open_study() -> optuna.Study:
    """Create the study or open it."""
    storage = optuna.storages.RDBStorage(
        "sqlite:///optuna.db",
        heartbeat_interval=HEARTBEAT_SECONDS,
        heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
    )
    return optuna.create_study(
        study_name="study",
        storage=storage,
        sampler=optuna.samplers.GridSampler(GRID, seed=0),
        load_if_exists=True,
    )


def objective(trial: optuna.Trial) -> float:
    """Train one run."""
    import tensorflow as tf
    from keras_study import shared_study

    tf.config.threading.set_intra_op_parallelism_threads(1)
    variant = {name: trial.suggest_categorical(name, levels) for name, levels in GRID.items()}
    model, scores = shared_study(sys.argv[1]).train(**variant)
    Path("models").mkdir(exist_ok=True)
    model.save(f"models/{trial.number}.keras")
    for name, score in scores.items():
        trial.set_user_attr(name, score)
    return scores["ab_rmse"]


def work(_: int) -> None:
    """Do one trial."""
    open_study().optimize(objective, n_trials=1)


def missing() -> int:
    """Return how many runs have no result."""
    trials = open_study().get_trials(states=[optuna.trial.TrialState.COMPLETE])
    return math.prod(map(len, GRID.values())) - len({tuple(sorted(trial.params.items())) for trial in trials})


def main() -> None:
    """Run what is missing."""
    processes = int(sys.argv[3])
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        while left := missing():
            pool.map(work, range(left), chunksize=1)


if __name__ == "__main__":
    main()
