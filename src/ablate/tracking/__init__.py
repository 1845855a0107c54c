"""Tracking: the only place that talks to MLflow."""

import os

# Its import would start a thread that reports what is used, of which each run's process would wait for the end.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
