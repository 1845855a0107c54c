"""Trained networks for other programs: TensorFlow's SavedModel, ONNX, LiteRT; L in, ab out."""
