"""`python -m ablate.colorize serve`: the page in which photographs are coloured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from ablate.cli.arguments import parse_arguments
from ablate.cli.command_line import split_config_options
from ablate.colorize.command import load
from ablate.colorize.engine import Engine
from ablate.colorize.options import ModelOptions
from ablate.colorize.serve.app import MAX_MIB, create_app
from ablate.config.schema import validate
from ablate.web.server import run, server

HELP = """\
Colour photographs in a browser: drop one in, move the line between grey and colour, take the coloured file away.

  python -m ablate.colorize serve                          with the weights of the package
  python -m ablate.colorize serve study=NAME               each variant of a study, side by side; variant="A;B": two
  python -m ablate.colorize serve run=ID,ID                these runs; or model=FILE.keras

  host=127.0.0.1 port=8090   where; 0.0.0.0 is every network that this machine is in
  max_mib=25                 of the largest file
  temperature=0.38 upsampling=edge_aware uri=...           as for files: python -m ablate.colorize --help

It is for this machine unless host= says more. Nothing is stored, and nothing is asked of another server."""


class ServeOptions(ModelOptions):
    """The options, see `HELP`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8090
    max_mib: Annotated[int, Field(ge=1, le=1024)] = MAX_MIB


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
        arguments: Those behind `serve`.
    """
    config_options, given = split_config_options(arguments)
    options = validate(ServeOptions, parse_arguments(given, list(ServeOptions.model_fields)))
    with Engine(load(options, config_options), options.upsampling) as engine:
        made = server(create_app(engine, max_mib=options.max_mib), host=options.host, port=options.port, proxies="")
        print(f"Colour photographs at http://{options.host}:{options.port}/ . Ctrl-C ends the server.", flush=True)
        run(made)
