"""`python -m ablate.export`: a trained network for other programs."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ablate.cli.arguments import parse_arguments, parse_bool, parse_float
from ablate.cli.command_line import configured_uri, split_config_options
from ablate.cli.errors import handle_errors
from ablate.colorize.packaged import NAME
from ablate.config.paths import results_dir
from ablate.config.schema import unknown_level
from ablate.errors import ConfigError
from ablate.export.formats import FORMATS
from ablate.export.place import check_place

HELP = """\
A trained network for other programs, with decoding inside: L in, ab out.

  python -m ablate.export format=onnx                       the network in the package, to results/exports/NAME-onnx
  python -m ablate.export format=litert run=ID              that of a run of the store
  python -m ablate.export format=savedmodel study=NAME variant=output_res=half
  python -m ablate.export format=onnx model=FILE.keras out=DIR overwrite=true

format=savedmodel is TensorFlow's, and needs nothing more. format=onnx needs onnx, tf2onnx and onnxruntime;
format=litert, which was called TensorFlow Lite, needs ai-edge-litert.

Every export is run when it is written, by its own runtime, and is kept only if its ab are the original's within 0.001;
its speed is shown beside the original's. DIR has the model, README.md with shapes and ranges, metadata.json with the
same for programs, and example.py, which colours a photograph without ablate. All compute in float32.

temperature=T decodes at another one. uri=sqlite:///FILE names another store. More: docs/colorize.md."""

_OPTIONS = ("format", "run", "study", "variant", "model", "uri", "temperature", "out", "overwrite")
_CHOOSING = ("run", "study", "model")


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/colorize.md#export"):
        if not arguments or {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        options, given = split_config_options(arguments)
        _export(parse_arguments(given, _OPTIONS), options)


def _export(arguments: Mapping[str, str], options: Sequence[str]) -> None:
    kind, overwrite = arguments.get("format", ""), parse_bool(arguments, "overwrite", False)
    if kind not in FORMATS:
        raise ConfigError(unknown_level("format", kind, FORMATS))
    FORMATS[kind].check_packages(kind)
    if "out" in arguments:
        check_place(Path(arguments["out"]), overwrite=overwrite)
    chosen = {name: arguments[name] for name in _CHOOSING if name in arguments}
    if len(chosen) > 1:
        raise ConfigError(f"one network is exported: give one of {', '.join(f'{name}=' for name in chosen)}")
    temperature = parse_float(arguments, "temperature", 0) if "temperature" in arguments else None
    uri = configured_uri(arguments.get("uri"), options)
    from ablate.training.inference import configure_inference

    configure_inference(devices="cpu")
    from ablate.colorize.load import load_colorizer
    from ablate.export.export import export

    colorizer = load_colorizer(**chosen, variant=arguments.get("variant"), uri=uri, temperature=temperature)
    name = re.sub(r"[^\w.=+-]+", "_", f"{colorizer.name}-{kind}")
    out = Path(arguments.get("out") or results_dir() / "exports" / name)
    check_place(out, overwrite=overwrite)
    print(export(colorizer, kind, out, _source(chosen, colorizer.name), overwrite=overwrite))


def _source(chosen: Mapping[str, str], name: str) -> str:
    """Say where a network comes from, without the folders of this machine."""
    if "run" in chosen:
        return f"run {chosen['run']}"
    if "study" in chosen:
        return f"{name} of study {chosen['study']}"
    of_a_file = chosen.get("model", NAME) != NAME
    return f"the file {Path(chosen['model']).name}" if of_a_file else "the package of ablate"


if __name__ == "__main__":
    main()
