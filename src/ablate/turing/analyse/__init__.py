"""Analysing an experiment: fooling rates, exclusions, power."""
