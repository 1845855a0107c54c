"""`python -m ablate.colorize`: photographs coloured by trained networks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
from ablate.colorize.results import Results, WriteError, results_of, write_result
from ablate.colorize.save import save_photograph
from ablate.errors import ConfigError, DataError
from ablate.report.number_format import quantity
from ablate.system.signals import SIGNALS
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
    # A file whose name begins with a dash is no option, where a shell has put it for a pattern.
    dashed = [each for each in arguments if each.startswith("-") and Path(each).exists()]
    config_options, others = split_config_options([each for each in arguments if each not in dashed])
    given, options_given = split_sources([*dashed, *others])
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
        ConfigError: Results would replace each other or a photograph.
        DataError: Some of them could not be coloured; the message names each, and why.
        WriteError: Nothing more can be written.
    """
    all_results = results_of(sources, engine.colorizers, options.out, sheets=options.compare)
    problems, there = list[_Problem](), 0
    coloring = _Coloring(engine, options)
    # Most of these threads wait for the network: as many as make a batch.
    done: Iterator[bool | _Problem] = parallel_map(
        coloring.color, all_results, per_thread=1, threads=BATCH + engine.threads
    )
    for result in tqdm(done, "Colouring", len(sources), unit=" photographs", disable=None, leave=False):
        if isinstance(result, _Problem):
            problems.append(result)
        else:
            there += not result
    coloured = len(sources) - len(problems) - there
    stayed = f"; {there} were there already (overwrite=true colours them again)" if there else ""
    print(f"{quantity(coloured, 'photograph')} coloured, in {printable(str(options.out))}{stayed}")
    if options.compare and coloured:
        sheets = printable(str(all_results[0].sheet)) if len(sources) == 1 else "the files *.compare.png there"
        print(f"Beside each other: {sheets}")
    if problems:
        lines = [f"{quantity(len(problems), 'photograph')} could not be coloured:", *map(str, problems)]
        raise DataError("\n  ".join(lines))


class _Coloring:
    """The colouring of photographs in threads, which ends where the command is interrupted or a write fails."""

    def __init__(self, engine: Engine, options: ColorizeOptions):
        self._engine, self._options = engine, options
        self._failed = threading.Event()

    def _ended(self) -> bool:
        return self._failed.is_set() or SIGNALS.poll() is not None

    def color(self, results: Results) -> bool | _Problem:
        """Colour one photograph with each network; return whether anything was to be done.

        Raises:
            WriteError: Nothing can be written.
        """
        source = results.source
        try:
            if source.problem:
                raise DataError(source.problem)
            if not self._options.overwrite and all(file.exists() for file in results.files):
                return False
            with self._engine.holding(measure(source.path)):
                if not self._ended():
                    self._make(results)
        except WriteError:
            self._failed.set()
            raise
        except OSError as error:
            return _Problem(source, error.strerror or " ".join(str(error).split()))
        except DataError as error:
            return _Problem(source, " ".join(str(error).split()))
        except MemoryError:
            return _Problem(source, "there is not enough memory for it")
        return True

    def _make(self, results: Results) -> None:
        engine, options, sheet = self._engine, self._options, results.sheet
        photograph = engine.read(results.source.path.read_bytes())
        drawn = Sheet(photograph) if sheet else None
        for colorizer, file in results.coloured.items():
            wanted = options.overwrite or not file.exists()
            if not wanted and drawn is None:
                continue
            coloured = engine.color(photograph, colorizer)
            if drawn is not None:
                drawn.add(colorizer.name, coloured)
            if wanted:
                with engine.processor():
                    write_result(partial(save_photograph, coloured, quality=options.quality), file)
        if sheet is not None and drawn is not None:
            with engine.processor():
                write_result(lambda file: file.write(drawn.png()), sheet)
