"""The other end of `process.run_command`: `python -m ablate.notebook DESCRIPTOR MODULE ARGUMENTS` runs a command."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module


def main() -> None:
    """Run a command; its progress and its error go to the descriptor, a JSON object a line."""
    descriptor, module, *arguments = sys.argv[1:]
    os.set_inheritable(int(descriptor), False)
    sys.argv[:] = [module, *arguments]
    threading.Thread(target=_end_with_the_notebook, daemon=True).start()

    def tell(**event: object) -> None:
        os.write(int(descriptor), f"{json.dumps(event)}\n".encode())

    try:
        if module == "ablate.run":
            import_module("ablate.study.progress").LISTENERS.append(lambda progress: tell(**vars(progress)))
        import_module(module).main()
    except SystemExit as end:
        # The error that a command explains in one line before it exits.
        if isinstance(end.__context__, Exception):
            _tell_error(tell, end.__context__, arguments)
        raise
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _tell_error(tell: Callable[..., None], error: Exception, arguments: list[str]) -> None:
    from ablate.cli.errors import explain_error
    from ablate.errors import AblateError, ConfigError

    named = type(error) if isinstance(error, AblateError) else ConfigError
    tell(error=named.__name__, message=explain_error(error, arguments))


def _end_with_the_notebook() -> None:
    """Interrupt the command once the process that waits for it is gone."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
