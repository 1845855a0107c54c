"""Time of a training step by kind of operation, from TensorFlow's own profiler."""

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

_OPERATION = re.compile(r"[^:]+:(\w+)")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall", "While", "If")
"""Operations that hold others, whose time would count twice."""


def shares(work: Callable[[], object], least: float = 0.005) -> list[tuple[str, float]]:
    """Return the kinds of operation and their share of the time of all operations, the longest first.

    Args:
        work: What is profiled.
        least: Smallest share that is returned.
    """
    spent: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            work()
        from tensorflow.tsl.profiler.protobuf import xplane_pb2

        for file in Path(folder).rglob("*.xplane.pb"):
            space = xplane_pb2.XSpace.FromString(file.read_bytes())
            for plane in space.planes:
                for event in (event for line in plane.lines for event in line.events):
                    found = _OPERATION.fullmatch(plane.event_metadata[event.metadata_id].name)
                    if found and found[1] not in _CALLS:
                        spent[found[1]] += event.duration_ps
    whole = sum(spent.values())
    return [(kind, taken / whole) for kind, taken in spent.most_common() if taken >= least * whole]
