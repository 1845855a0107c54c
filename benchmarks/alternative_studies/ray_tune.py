"""The study in Ray Tune with a Keras function; run again after an interruption, it restores the experiment.

    python ray_tune.py ARRAYS SEEDS

Ray's documentation: a function trainable with grid search; one CPU a trial, the default, so that as many trials run
as there are cores ("A guide to parallelism and resources"), each with one thread; `TuneReportCheckpointCallback`
reports and keeps a checkpoint after each epoch; `Tuner.can_restore` and `Tuner.restore` in the same script ("How to
enable fault tolerance: auto-resume"); a trial that has a checkpoint loads it and continues after its epoch.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ray import tune

NAME, FOLDER = "study", Path("ray_results").resolve()
RESOURCES = {"cpu": 1}


def train(config: dict[str, Any]) -> None:
    """Train one run."""
    import keras
    import tensorflow as tf
    from keras_study import shared_study
    from ray.tune.integration.keras import TuneReportCheckpointCallback

    tf.config.threading.set_intra_op_parallelism_threads(RESOURCES["cpu"])
    study, resumed = shared_study(config["arrays"]), None
    if checkpoint := tune.get_checkpoint():
        with checkpoint.as_directory() as folder:
            model = keras.models.load_model(Path(folder) / "model.keras")
        resumed = model, int(model.optimizer.iterations) // study.steps
    variant = {key: config[key] for key in ("optimizer", "output_res", "seed")}
    _, scores = study.train(**variant, callbacks=[TuneReportCheckpointCallback()], resumed=resumed)
    tune.report({**scores, "finished": True})


def main() -> None:
    """Run what is missing, and write a table of what the experiment holds."""
    trainable = tune.with_resources(train, RESOURCES)
    if tune.Tuner.can_restore(str(FOLDER / NAME)):
        tuner = tune.Tuner.restore(
            str(FOLDER / NAME), trainable=trainable, resume_unfinished=True, restart_errored=True
        )
    else:
        tuner = tune.Tuner(
            trainable,
            param_space={
                "arrays": sys.argv[1],
                "optimizer": tune.grid_search(["adam", "adadelta"]),
                "output_res": tune.grid_search(["full", "half"]),
                "seed": tune.grid_search(list(range(int(sys.argv[2])))),
            },
            run_config=tune.RunConfig(name=NAME, storage_path=str(FOLDER)),
        )
    results = [result for result in tuner.fit() if result.error is None and result.metrics.get("finished")]
    table = [{**result.config, **result.metrics} for result in results]
    Path("table.json").write_text(json.dumps(table, default=str))


if __name__ == "__main__":
    main()
