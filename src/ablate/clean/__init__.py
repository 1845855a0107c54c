"""What deleted runs and killed processes have left: listed, and removed. Imports no TensorFlow."""
