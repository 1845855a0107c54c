"""Serving an experiment: the web application in which people judge. No TensorFlow, no MLflow."""
