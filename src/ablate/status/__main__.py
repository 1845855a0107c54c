"""The command `python -m ablate.status`: how far the studies of a store are."""

import json
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict
from functools import partial

from ablate.cli.arguments import parse_arguments, parse_bool
from ablate.cli.command_line import configured_values, split_config_options
from ablate.cli.errors import handle_errors
from ablate.cli.terminal import visible
from ablate.config.paths import absolute, results_dir
from ablate.errors import ConfigError, TrackingError

HELP = """\
How far the studies of a store are, what trains where, and which runs lost their process.

  python -m ablate.status                         the project's store
  python -m ablate.status uri=sqlite:///FILE      another one; also postgresql://.. and http://..
  python -m ablate.status watch=true              again every other second, until Ctrl-C
  python -m ablate.status --json                  for programs

Of each study: runs that are done (cached ones too), running, interrupted (the same sweep resumes them), failed, and to
do: a sweep without a study file says ? there. Of each run that trains: host, process, since when, epoch, step, and the
time left. A lease is orphaned where its process is gone, as after kill -9 or a lost machine.

It only reads, while sweeps write as well, and neither makes nor changes a store. It goes by what is recorded, also of
older code and data: `python -m ablate.plan experiment=NAME` composes a study, and says of each run why."""

_SECONDS = 2.0
_TIMES = 4
"""Times the processor seconds of a look until the next one: a store of thousands of runs would take a core else."""
_TOP, _CLEAR_LINE_END, _CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/runs.md#status"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        for_programs = "--json" in arguments
        options, given = split_config_options([argument for argument in arguments if argument != "--json"], ["--json"])
        values = parse_arguments(given, ("uri", "watch"))
        watch = parse_bool(values, "watch", False)
        if watch and (for_programs or not sys.stdout.isatty()):
            raise ConfigError("watch=true needs a terminal; --json, once, is for programs")
        # What a project's own modules print is none of the JSON.
        with redirect_stdout(sys.stderr):
            uri, checkpoints = configured_values(["tracking.uri", "checkpoint.dir"], options)
            look = _opened(values.get("uri", uri), checkpoints)
        if watch:
            _watch(look)
        else:
            print(look(for_programs=for_programs))


def _opened(uri: str | None, checkpoints: str | None) -> Callable[..., str]:
    """Open the store, and return what looks at it."""
    from ablate.tracking.store import open_store, store_uri

    address = store_uri(uri, results_dir())
    open_store(address, to_read=True)
    return partial(_look, address, checkpoints)


def _look(uri: str, checkpoints: str | None, *, for_programs: bool = False, height: int | None = None) -> str:
    from ablate.status.read import read_status
    from ablate.status.text import format_status

    status = read_status(uri, results_dir(), absolute(checkpoints) if checkpoints else None)
    return json.dumps(asdict(status), indent=2) if for_programs else format_status(status, height=height)


def _watch(look: Callable[..., str]) -> None:
    try:
        began = time.process_time()
        text = look(height=_height())
        sys.stdout.write(_TOP + _CLEAR_BELOW)
        while True:
            took = time.process_time() - began
            width = shutil.get_terminal_size().columns
            lines = [line[: width - 1] for line in text.splitlines()][: _height()]
            sys.stdout.write(_TOP + "".join(f"{line}{_CLEAR_LINE_END}\n" for line in lines) + _CLEAR_BELOW)
            sys.stdout.flush()
            time.sleep(max(_SECONDS, _TIMES * took))
            began = time.process_time()
            try:
                text = look(height=_height())
            except TrackingError as error:
                text = f"{visible(str(error))}\nIt is tried again"
    except KeyboardInterrupt:
        return


def _height() -> int:
    """Return the lines of the terminal above the cursor's."""
    return shutil.get_terminal_size().lines - 1


if __name__ == "__main__":
    main()
