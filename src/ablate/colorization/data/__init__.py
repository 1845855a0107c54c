"""The data: sources of photographs, their split, preprocessing and batches."""
