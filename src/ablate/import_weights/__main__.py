"""`python -m ablate.import_weights`: the authors' released weights as a Keras model."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.cli.arguments import parse_arguments, parse_bool
from ablate.cli.command_line import CommandLine
from ablate.cli.errors import handle_errors
from ablate.config.paths import conf_dir
from ablate.config.validation import validate_config
from ablate.errors import ConfigError

if TYPE_CHECKING:
    from ablate.colorization.task import ColorizationTask

HELP = """\
The published network with its published weights: what the authors of Colorful Image Colorization released for PyTorch,
as a Keras model at scale=paper, layer for layer the same.

  python -m ablate.import_weights colorization_release_v2-9b330a0b.pth             to the same name with .keras
  python -m ablate.import_weights FILE.pth out=eccv16.keras overwrite=true         to another one, over what is there
  python -m ablate.colorize PHOTO model=eccv16.keras                               colour photographs with it

FILE is what torch.save or the format safetensors makes of the network eccv16 of github.com/richzhang/colorization.
It is not downloaded. PyTorch is not needed. Nothing in the file is executed; one that is damaged, or of another
network, is refused, with the name of the layer. The same L gives the same logits and the same ab. docs/colorize.md
says how this was tested, and in what pictures differ from those of the authors' script."""

_OPTIONS = ("out", "overwrite")


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/colorize.md#the-published-weights"):
        if not arguments or {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        files = [argument for argument in arguments if argument.partition("=")[0] not in _OPTIONS]
        given = parse_arguments([each for each in arguments if each not in files], _OPTIONS)
        file = _one_file(files)
        out = Path(given["out"]) if "out" in given else Path(file.with_suffix(".keras").name)
        _check_place(out, overwrite=parse_bool(given, "overwrite", False))
        print(_import(file, out))


def _one_file(files: Sequence[str]) -> Path:
    if len(files) != 1:
        raise ConfigError(f"one file must be given, as in FILE.pth. Received: {', '.join(files) or 'none'}")
    return Path(files[0])


def _check_place(out: Path, *, overwrite: bool) -> None:
    if out.suffix != ".keras":
        raise ConfigError(f"out must end in .keras. Received: out={out}")
    if out.is_dir() or (out.exists() and not overwrite):
        raise ConfigError(f"{out} is there already: overwrite=true replaces it, out=FILE.keras writes another one")


def _import(file: Path, out: Path) -> str:
    from ablate.import_weights.checkpoint import opened_weights
    from ablate.import_weights.release import TEMPERATURE, check_names, set_released_weights, sources

    with opened_weights(file) as tensors:
        task = _published_task()
        check_names(tensors, sources(task.layers))  # before seconds of TensorFlow
        from ablate.training.inference import configure_inference

        configure_inference(devices="cpu")
        from ablate.colorization.model.backbone import build_backbone
        from ablate.colorize.keras_file import write_keras_file

        model = build_backbone(task.layers, side=task.side)
        set_released_weights(model, task.layers, tensors)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_keras_file(model, out, temperature=TEMPERATURE)
    parameters = sum(weight.numpy().size for weight in model.trainable_weights)
    return f"{out} ({out.stat().st_size / 2**20:,.0f} MiB): the network of scale=paper, {parameters:,} parameters"


def _published_task() -> "ColorizationTask":
    """Return the task of scale=paper as it ships, whatever the project of the current folder changes."""
    from ablate.colorization.task import ColorizationTask

    task = validate_config(CommandLine(["--config-path", str(conf_dir()), "scale=paper"]).compose()).task
    assert isinstance(task, ColorizationTask)
    return task


if __name__ == "__main__":
    main()
