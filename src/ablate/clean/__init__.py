"""Left-overs of deleted runs and killed processes: listed, and removed. Imports no TensorFlow."""
