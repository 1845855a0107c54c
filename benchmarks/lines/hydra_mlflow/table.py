"""The table of the study: mean and standard deviation over seeds."""

import mlflow

FACTORS = ["params.activation", "params.dropout", "params.augmentation", "params.learning_rate"]

mlflow.set_tracking_uri("sqlite:///mlflow.db")
runs = mlflow.search_runs(experiment_names=["digits"], filter_string="attributes.status = 'FINISHED'")
table = runs.groupby(FACTORS)[["metrics.accuracy", "metrics.nll"]].agg(["mean", "std", "count"])
print(table.round(3).to_string())
