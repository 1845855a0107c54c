"""The data of an experiment for other analyses: two tables, a codebook, and a Psych-DS folder of them."""
