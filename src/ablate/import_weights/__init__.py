"""Published weights: the authors' PyTorch file of the paper's network, as a Keras model."""
