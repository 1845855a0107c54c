"""`python -m ablate.layers`: print the layers of any variant. It imports no TensorFlow."""

import sys

from hydra import compose, initialize_config_dir

from ablate.cli import command
from ablate.config import check, conf_dir

HELP = """\
Print the layers of a variant's network: output shapes for one example, parameters, FLOPs, receptive field.

  python -m ablate.layers                                   the network of the defaults
  python -m ablate.layers depth=shallow output_res=half     another variant
  python -m ablate.layers scale=paper                       the published one

The arguments are those of `python -m ablate.run`, whose --help lists them."""


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    if {"-h", "--help"}.intersection(arguments):
        print(HELP)
        return
    with command(), initialize_config_dir(str(conf_dir()), version_base="1.3"):
        task = check(compose("config", arguments)).task
        table, cost = task.layer_table(), task.cost()
        print(table.to_markdown(index=False, tablefmt="simple", floatfmt=",.1f", intfmt=","))
        print(f"\n{cost['parameters']:,.0f} trainable parameters, {cost['flops_per_image'] / 1e9:.3g} GFLOPs an image")


if __name__ == "__main__":
    main()
