"""The figures of the human evaluation: pure functions from frames to a `Figure`."""
