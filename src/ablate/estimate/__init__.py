"""Runtime estimates, from earlier runs or a few timed steps."""
