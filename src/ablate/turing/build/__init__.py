"""Building an experiment: from tracked models to a bundle of pictures."""
