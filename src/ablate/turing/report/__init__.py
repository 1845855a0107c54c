"""The human evaluation's section of a study's report."""
