"""Prepared data sets: photographs of any source, made ready once. No TensorFlow but for URLs and TFDS."""
