"""Colorful Image Colorization (Zhang, Isola, Efros 2016) as a task: importing this imports no TensorFlow."""
