"""Test suites for authors of plug-ins, usable with pytest."""
