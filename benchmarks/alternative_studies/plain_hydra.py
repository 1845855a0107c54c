"""The study in plain Hydra with Keras and MLflow; run again after an interruption, it runs everything again.

    python plain_hydra.py -m optimizer=adam,adadelta output_res=full,half seed=0,1,2 arrays=DIR

Hydra's documentation: `--multirun` with the basic launcher, which runs jobs one after the other in this process.
MLflow's: autologging before `fit`, that of Keras 3, a run around it, and a SQLite store; without the digest of the
data set, for which it would read an endless one to its end. TensorFlow uses all cores.
"""

import hydra
import mlflow
from keras_study import shared_study
from omegaconf import DictConfig


@hydra.main(config_path="conf", config_name="config", version_base=None)
def main(config: DictConfig) -> None:
    """Train one run."""
    mlflow.set_tracking_uri(config.store)
    mlflow.set_experiment("study")
    mlflow.keras.autolog(log_datasets=False)
    with mlflow.start_run():
        variant = {"optimizer": config.optimizer, "output_res": config.output_res, "seed": config.seed}
        mlflow.log_params({f"study.{key}": value for key, value in variant.items()})
        _, scores = shared_study(config.arrays).train(**variant)
        mlflow.log_metrics(scores)


if __name__ == "__main__":
    main()
