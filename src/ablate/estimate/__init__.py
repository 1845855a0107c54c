"""Runtime estimates: what a run will take, from earlier runs or a few timed steps."""
