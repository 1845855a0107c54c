"""Imported by the process that the runs of a sweep are forked from: what each of them would have to import.

It only imports: were TensorFlow's runtime started here, its threads would be missing in the forked processes.
"""

import signal
from importlib import import_module

# Signals to the whole command are for the runs and for the process that waits for them; this one ends with that.
# Not SIG_IGN, which the forked processes would inherit and take for `nohup`. And first: the imports take seconds.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    if signal.getsignal(_number) is not signal.SIG_IGN:
        signal.signal(_number, lambda number, frame: None)

import_module("ablate.training.hardware").import_tensorflow()
