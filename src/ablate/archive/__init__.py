"""The archive: a study as one file, to be kept, handed over and merged. It imports neither TensorFlow nor Keras."""
