"""The command `python -m ablate.layers`: print the layers of any variant. No TensorFlow."""

import sys

from ablate.cli.command_line import CommandLine, parse_command_line
from ablate.cli.errors import handle_errors
from ablate.config.validation import validate_config
from ablate.errors import ConfigError
from ablate.study.planning import distinguishing_overrides
from ablate.study.sweep import expand_sweep
from ablate.task import Describable, Task

HELP = """\
Print the layers of a variant's network: output shapes for one example, parameters, FLOPs, receptive field.

  python -m ablate.layers                                   the network of the defaults
  python -m ablate.layers depth=shallow output_res=half     another variant
  python -m ablate.layers scale=paper                       the published one
  python -m ablate.layers -m depth=full,shallow             each network of a sweep or, with experiment=NAME, a study

The arguments are those of `python -m ablate.run`, whose --help lists them."""


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/reference/configuration.md"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        given = parse_command_line(arguments)
        print(_swept(given) if given.multirun else _shown(validate_config(given.compose()).task))


def _swept(given: CommandLine) -> str:
    """Show each network once, under what tells the first run that has it from the others."""
    config = given.compose_sweep()
    _, runs = expand_sweep(config)
    names: dict[str, str] = {}
    for overrides, name in zip(runs, distinguishing_overrides(runs), strict=True):
        names.setdefault(_shown(validate_config(given.loader.load_sweep_config(config, overrides)).task), name)
    return "\n\n".join(f"{name}\n{shown}".lstrip() for shown, name in names.items())


def _shown(task: Task) -> str:
    if not isinstance(task, Describable):
        raise ConfigError(f"{type(task).__name__} describes no layers: it has no layer_table and cost")
    table, cost = task.layer_table(), task.cost()
    layers = table.to_markdown(index=False, tablefmt="simple", floatfmt=",.1f", intfmt=",")
    flops = cost.get("flops_per_example")
    computed = "" if flops is None else f", {flops / 1e9:.3g} GFLOPs an example"
    return f"{layers}\n\n{cost['parameters']:,.0f} trainable parameters{computed}"


if __name__ == "__main__":
    main()
