"""The study in plain Hydra with MLflow: one run of it; study.sh is the sweep."""

import hydra
import keras
import mlflow
import numpy as np
from keras import layers
from sklearn.datasets import load_digits


def data():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).reshape(-1, 8, 8, 1).astype("float32")
    return (x[:1200], y[:1200]), (x[1200:], y[1200:])


def build(activation, dropout, shift):
    return keras.Sequential(
        [
            layers.RandomTranslation(shift, shift, fill_mode="wrap"),
            layers.Conv2D(16, 3, activation=activation),
            layers.Flatten(),
            layers.Dense(64, activation=activation),
            layers.Dropout(dropout),
            layers.Dense(10, activation="softmax"),
        ]
    )


def score(model, x, y):
    p = model.predict(x, verbose=0)
    return {"accuracy": 100.0 * (p.argmax(1) == y).mean(), "nll": -np.log(p[np.arange(len(y)), y] + 1e-7).mean()}


@hydra.main(config_path="conf", config_name="config", version_base=None)
def main(config):
    keras.utils.set_random_seed(config.seed)
    (x, y), (x_eval, y_eval) = data()
    mlflow.set_tracking_uri(config.store)
    mlflow.set_experiment("digits")
    with mlflow.start_run():
        for key in ("activation", "dropout", "augmentation"):
            mlflow.log_param(key, config[key].name)
        mlflow.log_params({"learning_rate": config.learning_rate, "seed": config.seed})
        model = build(config.activation.name, config.dropout.rate, config.augmentation.shift)
        model.compile(keras.optimizers.Adam(config.learning_rate), "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=config.epochs, verbose=0, callbacks=[mlflow.tensorflow.MlflowCallback()])
        mlflow.log_metrics(score(model, x_eval, y_eval))


if __name__ == "__main__":
    main()
