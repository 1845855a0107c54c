"""Tracking: the only place that talks to MLflow."""
