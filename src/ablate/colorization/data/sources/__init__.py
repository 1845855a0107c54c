"""Sources of photographs: folders, archives, URLs, TensorFlow Datasets."""
