"""Training: the hardware a run computes with, and Keras' `fit` around a task."""
