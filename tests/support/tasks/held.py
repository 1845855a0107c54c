"""A task whose runs wait where a test wants to find them."""

import time
from collections.abc import Iterator
from pathlib import Path

from tiny import Tiny

HOLD = "hold"


class Held(Tiny):
    """The run whose seed the file `hold` in the current folder names waits in its second epoch, after two steps."""

    def training_batches(self, *, seed: int, batch_size: int, first_step: int, steps: int):
        """Return the batches, of which the third never comes."""
        import tensorflow as tf

        batches = super().training_batches(seed=seed, batch_size=batch_size, first_step=first_step, steps=steps)
        hold = Path(HOLD)
        if first_step == 0 or not hold.exists() or hold.read_text() != str(seed):
            return batches
        never = tf.data.Dataset.from_generator(_wait, output_signature=batches.element_spec)
        return batches.take(2).concatenate(never)


def _wait() -> Iterator[None]:
    while True:
        time.sleep(1)
    yield
