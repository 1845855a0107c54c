"""Tasks to start from: arrays, data sets or a training loop of one's own. Importing this imports no TensorFlow."""
