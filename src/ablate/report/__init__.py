"""The report on a study: load -> compare -> render. It imports neither TensorFlow nor Keras."""
