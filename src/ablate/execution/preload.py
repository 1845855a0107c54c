"""Imports of the server process that the runs of a sweep are forked from, so that no run repeats them.

It only imports: were TensorFlow's runtime started here, its threads would be missing in the forked processes.
"""

import signal
from importlib import import_module

from ablate.system.signals import INTERRUPTING

# Signals to the whole command are for the runs and for the process that waits for them; this one ends with that. The
# forked processes inherit the blocked signals: they keep those that come before `SIGNALS.install`.
signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTING)

import_module("ablate.training.hardware").import_tensorflow()
