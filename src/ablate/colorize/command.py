"""`python -m ablate.colorize`: photographs coloured by trained networks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ablate.cli.command_line import split_config_options
from ablate.colorization.data.file_names import printable
from ablate.colorize.colorizer import BATCH, Colorizer
from ablate.colorize.compare import Sheet
from ablate.colorize.engine import Engine
from ablate.colorize.files import Source, find_photographs
from ablate.colorize.load import load_colorizers
from ablate.colorize.options import ColorizeOptions, ModelOptions, parse_options, split_sources
from ablate.colorize.photograph import measure
from ablate.colorize.save import save_photograph
from ablate.errors import ConfigError, DataError
from ablate.report.number_format import quantity
from ablate.system.atomic_write import atomic_write
from ablate.system.threads import parallel_map

HELP = """\
Colour photographs with a trained network: of any size, grey or not, in files, folders and patterns.

  python -m ablate.colorize PHOTO|DIR|"PATTERN"...          with the weights of the package
  python -m ablate.colorize DIR run=ID                      with a run's model; several: run=ID,ID
  python -m ablate.colorize DIR study=NAME variant=baseline   of a variant, the run of the lowest seed; "A;B" for two
  python -m ablate.colorize DIR study=NAME compare=true     with each variant, and beside each other
  python -m ablate.colorize DIR model=FILE.keras            with a file of Keras; model=packaged is the package's
  python -m ablate.colorize sample                          the photographs inside installed packages; sample/chelsea
  python -m ablate.colorize serve                           in a browser; serve --help says more

  out=colorized           where to, as a tree that mirrors DIR; of several models, each has a folder
  overwrite=false         whether to colour again what is there
  compare=false           sheets as well: grey, each model, and the truth where a photograph has colours
  temperature=0.38        of the annealed mean: less is more colourful; else what the network was configured with
  upsampling=edge_aware   colours that change where lightness does; or bilinear
  quality=95              of JPEG and WebP files
  uri=sqlite:///FILE      another store; else the project's tracking.uri, MLFLOW_TRACKING_URI, results/mlflow.db

JPEG, PNG, WebP and TIFF files keep their format, size, 8 or 16 bits, L, opacity, EXIF with its orientation, colour
profile and captions. The network sees all of a photograph at its own resolution. Files that are there stay: the
same command resumes after an interruption. What cannot be used is named at the end, with exit code 1."""


@dataclass(frozen=True)
class _Problem:
    """A photograph that could not be coloured, and why."""

    source: Source
    reason: str

    def __str__(self) -> str:
        return f"{printable(str(self.source.path))}: {self.reason}"


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
        arguments: Files, folders, patterns and options.
    """
    config_options, others = split_config_options(arguments)
    given, options_given = split_sources(others)
    options = parse_options(options_given)
    if not given:
        raise ConfigError(
            "which photographs? As in `python -m ablate.colorize PHOTO.jpg` or a folder; --help says more"
        )
    sources = find_photographs(given, options.out)
    colorizers = load(options, config_options)
    with Engine(colorizers, options.upsampling) as engine:
        color_all(sources, engine, options)


def load(options: ModelOptions, config_options: Sequence[str]) -> list[Colorizer]:
    """Set up TensorFlow for one process, and load the networks."""
    from ablate.training.inference import configure_inference

    configure_inference()
    return load_colorizers(
        runs=options.run_ids,
        study=options.study,
        variants=options.variants,
        models=options.files,
        uri=options.uri,
        temperature=options.temperature,
        config_options=config_options,
    )


def color_all(sources: Sequence[Source], engine: Engine, options: ColorizeOptions) -> None:
    """Colour photographs, with a line of progress, and say what came of it.

    Raises:
        DataError: Some of them could not be coloured; the message names each, and why.
    """
    places = _folders(engine.colorizers, options.out)
    problems, there = list[_Problem](), 0
    # Most of these threads wait for the network: as many as make a batch.
    done: Iterator[bool | _Problem] = parallel_map(
        lambda source: _color(source, engine, places, options), sources, per_thread=1, threads=BATCH + engine.threads
    )
    for result in tqdm(done, "Colouring", len(sources), unit=" photographs", disable=None, leave=False):
        if isinstance(result, _Problem):
            problems.append(result)
        else:
            there += not result
    coloured = len(sources) - len(problems) - there
    stayed = f"; {there} were there already (overwrite=true colours them again)" if there else ""
    print(f"{quantity(coloured, 'photograph')} coloured, in {options.out}{stayed}")
    if options.compare and coloured:
        sheets = _sheet(sources[0], options) if len(sources) == 1 else "the files *.compare.png there"
        print(f"Beside each other: {sheets}")
    if problems:
        lines = [f"{quantity(len(problems), 'photograph')} could not be coloured:", *map(str, problems)]
        raise DataError("\n  ".join(lines))


def _folders(colorizers: Sequence[Colorizer], out: Path) -> dict[Colorizer, Path]:
    """Return where each network's results go: `out`, or of several each a folder in it."""
    if len(colorizers) == 1:
        return {colorizers[0]: out}
    folders = {each: out / (re.sub(r"[^\w=.,+-]+", "_", each.name).strip("._") or "model") for each in colorizers}
    if len(set(folders.values())) < len(folders):
        return {each: folder.with_name(f"{folder.name}-{n}") for n, (each, folder) in enumerate(folders.items(), 1)}
    return folders


def _sheet(source: Source, options: ColorizeOptions) -> Path:
    return options.out / source.name.with_name(f"{source.name.name}.compare.png")


def _color(source: Source, engine: Engine, places: dict[Colorizer, Path], options: ColorizeOptions) -> bool | _Problem:
    """Colour one photograph with each network; return whether anything was to be done."""
    targets = {colorizer: folder / source.name for colorizer, folder in places.items()}
    sheet = _sheet(source, options) if options.compare else None
    wanted = [*targets.values(), *([sheet] if sheet else [])]
    if not options.overwrite and all(path.exists() for path in wanted):
        return False
    try:
        with engine.holding(measure(source.path)):
            photograph = engine.read(source.path.read_bytes())
            drawn = Sheet(photograph) if sheet else None
            for colorizer, target in targets.items():
                if sheet is None and target.exists() and not options.overwrite:
                    continue
                coloured = engine.color(photograph, colorizer)
                if drawn is not None:
                    drawn.add(colorizer.name, coloured)
                if options.overwrite or not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with engine.processor(), atomic_write(target, durable=False) as file:
                        save_photograph(coloured, file, quality=options.quality)
            if sheet is not None and drawn is not None:
                sheet.parent.mkdir(parents=True, exist_ok=True)
                with engine.processor(), atomic_write(sheet, durable=False) as file:
                    file.write(drawn.png())
    except (DataError, OSError) as error:
        return _Problem(source, " ".join(str(error).split()))
    except MemoryError:
        return _Problem(source, "there is not enough memory for it")
    return True
