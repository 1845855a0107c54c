"""`ablate new`: a small project that runs, to change into one's own."""
