"""Signals of the server process that the runs of a sweep are forked from, which imports what they need once."""

import signal

from ablate.system.signals import INTERRUPTING

# Signals to the whole command are for the runs and for the process that waits for them; this one ends with that. The
# forked processes inherit the blocked signals: they keep those that come before `SIGNALS.install`.
signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTING)
