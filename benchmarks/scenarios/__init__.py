"""Hostile surroundings and inputs, a module a group: what `robustness.py` tries."""
