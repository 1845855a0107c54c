"""The data: photographs, their sources and split, and batches of them."""
