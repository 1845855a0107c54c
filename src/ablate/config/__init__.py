"""Configuration: its sections, their validation, and where its files are. No TensorFlow, no MLflow."""
