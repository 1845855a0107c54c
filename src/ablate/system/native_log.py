"""The output of native code, which no setting of Python's reaches: to the debug log."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


@contextmanager
def native_log(of: str | None = None) -> Iterator[None]:
    """Send what TensorFlow's native code prints at its start to the debug log; to stderr only where it fails.

    Half a dozen lines, some called errors, say that a machine without a GPU has none; no setting silences them.

    Args:
        of: A module that may be imported meanwhile: if it is not, the output is another's, and goes to stderr.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile("w+", errors="replace") as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        except BaseException:  # raised again: what was printed may say why, of an end by Ctrl-C too
            os.dup2(stderr, 2)
            printed.seek(0)
            sys.stderr.write(printed.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        printed.seek(0)
        if of is not None and of not in sys.modules:
            sys.stderr.write(printed.read())
        for line in printed:
            log.debug("%s", line.rstrip())
