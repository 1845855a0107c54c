"""Training: Keras' `fit` of a task's model, its checkpoints, and the hardware."""
