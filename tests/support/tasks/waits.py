"""Loops that take no work: one until it is interrupted, one that fails."""

import time

from ablate import FunctionTask, Measure


class Waits(FunctionTask):
    """A loop that says that it waits."""

    measures = {"accuracy": Measure("Accuracy", "%", "higher")}

    def train(self, config, seed, run):
        """Wait until it is to stop."""
        print("it waits now", flush=True)
        while not run.should_stop():
            time.sleep(0.05)


class Fails(Waits):
    """A loop that fails at once."""

    def train(self, config, seed, run):
        """Fail."""
        raise ValueError("as it always does")
