"""`python -m ablate.turing build`: a bundle that people judge, from tracked models and folders of pictures."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ablate.cli.command_line import configured_uri, split_config_options
from ablate.colorization.data.held_out import folder_photographs
from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.config.paths import results_dir
from ablate.errors import ConfigError, DataError
from ablate.report.number_format import quantity
from ablate.turing.build.collect import CollectedCrops, collect_crops
from ablate.turing.build.crops import Crop, CropSettings
from ablate.turing.build.exact_lab import to_lab
from ablate.turing.build.external_pictures import ExternalPictures
from ablate.turing.build.options import BuildOptions, parse_options
from ablate.turing.build.picture_files import Colors, WrittenPictures, ensure_free, write_pictures
from ablate.turing.build.summary import build_summary, too_few_photographs
from ablate.turing.bundle import Algorithm, Manifest, check_name, freeze
from ablate.turing.protocol import REAL

if TYPE_CHECKING:
    from ablate.turing.build.runs import ColorizingRun

HELP = """\
Make the pictures that people judge: evaluation photographs, real and recoloured by each algorithm, frozen as a bundle.

  python -m ablate.turing build study=NAME                 of each variant the run of the lowest seed
  python -m ablate.turing build study=NAME variants="A;B"  these variants; names are separated by ;
  python -m ablate.turing build runs=ID,ID                 these runs
  python -m ablate.turing build study=NAME external.X=DIR   and pictures that another system, X, has made
  python -m ablate.turing build real=DIR external.X=DIR     photographs of a folder instead; study=NAME can be left out

  name=NAME out=DIR           of the bundle: the study's name, and results/turing/NAME
  side=256                    of the pictures
  photographs=200 crops=1     how many photographs, and how many crops of each, the first in its middle
  seed=0                      from which photographs, crops and the pictures' dither are drawn
  practice=10 test=40 checks=3 exposure_ms=1000            what one participant does
  design=between              each participant judges one algorithm's pictures beside the real ones
  design=within               each judges all algorithms' pictures beside the real ones, each photograph once
  design=preference           each says which of two algorithms' pictures looks more natural; with_real=true has the
                              real picture among them
  design=rating               each rates all algorithms' pictures, one at a time, from 1 to points=7; with_real=true
                              has real pictures among them
  rules.max_failed_checks=1 ...                            which answers count: docs/turing.md
  data.root=DIR               where the photographs of the runs are now, if they were moved
  data=folder data.root=DIR   the photographs that a prepared data set was made from, in their own size
  uri=sqlite:///FILE          another store; else the project's tracking.uri, MLFLOW_TRACKING_URI, results/mlflow.db

Of a run's data set only photographs that did not train are taken. No participant sees crops of one photograph in
two of practice, test and checks: the defaults take 53 photographs with crops=1 and 6 with crops=10. A picture of
another system belongs to the photograph of the same name, whatever the endings. Only its colours are used: the two
pictures of a pair have the same L. The same arguments make the same pictures."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Args:
        arguments: Those behind `build`.
    """
    config_options, given = split_config_options(arguments)
    options = parse_options(given)
    _check_sources(options)
    runs, unfinished = _runs(options, config_options)
    study = options.study or _only({run.model.study for run in runs})
    folder = _folder(options, study)
    photographs, stored_side = _photographs(options, runs)
    external = _external_pictures(options, runs, photographs)
    _check_design(options, len(runs) + len(external))
    collected = _collect(options, runs, photographs, external)
    colors = {**_model_colors(runs, collected.crops, options.side), **_external_colors(external, collected.crops)}
    written = write_pictures(folder, collected.crops, colors, seed=options.seed)
    manifest = _manifest(options, study, runs, external, collected, written)
    checksum = freeze(folder, manifest)
    for line in unfinished:
        print(f"Not among them: {line}")
    print("\n".join(build_summary(manifest, options, collected, written, stored_side)))
    print(f"Checksum: {checksum}")
    print(f"Serve it: python -m ablate.turing serve {shlex.quote(_shown(folder))}")


def _check_sources(options: BuildOptions) -> None:
    """Check what is needed before anything takes time."""
    _ = options.protocol
    if not (options.study or options.run_ids or options.external):
        raise ConfigError("study=NAME, runs=ID,ID or external.NAME=DIR must be given: what colours the photographs")
    if options.real is None and not (options.study or options.run_ids):
        raise ConfigError("real=DIR must be given where no study=NAME or runs=ID,ID is: the photographs")
    if options.study or options.name:
        _folder(options, options.study)


def _check_design(options: BuildOptions, algorithms: int) -> None:
    least = 2 - options.with_real
    if options.design != "between" and algorithms < least:
        raise ConfigError(
            f"design={options.design} compares algorithms, and there is {algorithms}: give another one, such as "
            f"external.NAME=DIR{'' if options.design == 'within' else ', or with_real=true'}"
        )
    if options.with_real and REAL in options.external:
        raise ConfigError(f"external.{REAL} is called like the real picture: give it another name")


def _external_pictures(
    options: BuildOptions, runs: Sequence[ColorizingRun], photographs: Sequence[HeldOutPhotograph]
) -> list[ExternalPictures]:
    names = [photograph.name for photograph in photographs]
    external = [ExternalPictures(name, root, names) for name, root in options.external.items()]
    if taken := {run.name for run in runs}.intersection(options.external):
        raise ConfigError(f"external.{min(taken)} is called like a variant: give it another name")
    return external


def _collect(
    options: BuildOptions,
    runs: Sequence[ColorizingRun],
    photographs: Sequence[HeldOutPhotograph],
    external: Sequence[ExternalPictures],
) -> CollectedCrops:
    """Cut the crops, which are enough for one participant."""
    input_sides = tuple(sorted({run.data.image_size for run in runs}))
    settings = CropSettings(options.side, options.crops, options.seed, input_sides)
    collected = collect_crops(photographs, external, count=options.photographs, settings=settings)
    if options.protocol.shares(collected.counts) is None:
        raise DataError(too_few_photographs(collected, options.protocol, options))
    return collected


def _manifest(
    options: BuildOptions,
    study: str | None,
    runs: Sequence[ColorizingRun],
    external: Sequence[ExternalPictures],
    collected: CollectedCrops,
    written: WrittenPictures,
) -> Manifest:
    own = [Algorithm(name=run.name, run_id=run.model.run_id, seed=run.model.seed) for run in runs]
    return Manifest(
        name=options.name or study or "",
        study=study,
        side=options.side,
        seed=options.seed,
        protocol=options.protocol,
        algorithms=[*own, *(Algorithm(name=pictures.name) for pictures in external)],
        stimuli=written.stimuli,
        left_out=[str(one) for one in collected.left_out],
        files=written.files,
    )


def _folder(options: BuildOptions, study: str | None) -> Path:
    """Return where the bundle goes, which is free."""
    name = options.name or study
    if name is None:
        raise ConfigError("name=NAME must be given: the bundle belongs to no study that it could be called after")
    check_name(name)
    folder = Path(options.out) if options.out else results_dir() / "turing" / name
    ensure_free(folder)
    return folder


def _runs(options: BuildOptions, config_options: Sequence[str]) -> tuple[list[ColorizingRun], list[str]]:
    """Return the runs that colour, and a line for each variant that has none."""
    if options.variants and (options.run_ids or not options.study):
        raise ConfigError("variants= chooses among those of study=NAME: give that, and no runs=")
    if not (options.study or options.run_ids):
        return [], []
    from ablate.colorize.tracked_models import names_of, runs_by_id, runs_of_study
    from ablate.tracking.store import open_store, store_uri
    from ablate.tracking.study_record import read_study
    from ablate.turing.build.runs import colorizing_runs

    uri = store_uri(configured_uri(options.uri, config_options), results_dir())
    open_store(uri, to_read=True)
    if options.run_ids:
        models, unfinished = runs_by_id(options.run_ids, study=options.study), list[str]()
        study = _only({model.study for model in models})
        return colorizing_runs(models, names_of(read_study(study, uri)) if study else {}), unfinished
    assert options.study is not None
    record = read_study(options.study, uri)
    models, unfinished = runs_of_study(record, options.variant_names)
    return colorizing_runs(models, names_of(record)), unfinished


def _only(studies: set[str]) -> str | None:
    return studies.pop() if len(studies) == 1 else None


def _photographs(
    options: BuildOptions, runs: Sequence[ColorizingRun]
) -> tuple[Sequence[HeldOutPhotograph], int | None]:
    """Return the photographs to choose from, and the side at which they are stored, where only crops are."""
    if not runs:
        assert options.real is not None
        return folder_photographs(options.real), None
    from ablate.turing.build.runs import held_out_photographs

    moved = {"name": options.data, "root": options.data_root}
    found = held_out_photographs(runs, {key: value for key, value in moved.items() if value is not None})
    if options.real is None:
        return found.photographs, found.stored_side
    others = folder_photographs(options.real)
    unseen = [photograph for photograph in others if photograph.digest not in found.trained]
    if len(unseen) < len(others):
        print(
            f"Not taken: {quantity(len(others) - len(unseen), 'photograph')} in {options.real} that trained the runs"
        )
    return unseen, None


def _model_colors(runs: Sequence[ColorizingRun], crops: Sequence[Crop], side: int) -> dict[str, Colors]:
    """Let each model colour all crops, one model after the other."""
    if not runs:
        return {}
    from ablate.colorize.load import colorizer_of_run
    from ablate.tracking.tracked_model import read_model
    from ablate.training.inference import configure_inference

    configure_inference(deterministic=True)
    from ablate.colorization.inference import enlarged, predict_ab

    def colors(run: ColorizingRun) -> Colors:
        inputs = [crop.inputs[run.data.image_size] for crop in crops]
        loaded = read_model(run.model, lambda file: colorizer_of_run(file, run.color, run.name))
        found = predict_ab(loaded.model, inputs, run.color, batch_size=loaded.batch_size)
        return lambda place: enlarged(found[place], side)

    return {run.name: colors(run) for run in tqdm(runs, desc="Colouring", unit=" models", disable=None, leave=False)}


def _external_colors(external: Sequence[ExternalPictures], crops: Sequence[Crop]) -> dict[str, Colors]:
    def colors(name: str) -> Colors:
        return lambda place: to_lab(crops[place].others[name])[..., 1:]

    return {other.name: colors(other.name) for other in external}


def _shown(folder: Path) -> str:
    """Return a folder as it is called from here."""
    absolute = folder.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(folder)
