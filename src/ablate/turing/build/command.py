"""`python -m ablate.turing build`: from tracked models and folders of pictures to a bundle that people judge."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ablate.colorization.data.held_out import folder_photographs
from ablate.colorization.data.photographs import HeldOutPhotograph
from ablate.config.paths import project_dir
from ablate.config.training import HardwareConfig
from ablate.errors import ConfigError, DataError
from ablate.report.formatting import quantity
from ablate.turing.build.crops import Cutting, Square, gather
from ablate.turing.build.external_pictures import Outside
from ablate.turing.build.options import Request, parsed
from ablate.turing.build.picture_files import Colors, ensure_free, write_pictures
from ablate.turing.build.stimuli import to_lab
from ablate.turing.build.summary import said, too_few
from ablate.turing.bundle import Algorithm, Manifest, check_name, freeze

if TYPE_CHECKING:
    from ablate.turing.build.runs import Colorist

HELP = """\
Make the pictures that people judge: evaluation photographs, real and recoloured by each algorithm, frozen as a bundle.

  python -m ablate.turing build study=NAME                 of each variant the run of the lowest seed
  python -m ablate.turing build study=NAME variants="A;B"  these variants; names are separated by ;
  python -m ablate.turing build runs=ID,ID                 these runs
  python -m ablate.turing build study=NAME outside.X=DIR   and pictures that another system, X, has made
  python -m ablate.turing build real=DIR outside.X=DIR     photographs of a folder instead; study=NAME can be left out

  name=NAME out=DIR           of the bundle: the study's name, and turing/NAME
  side=256                    of the pictures
  photographs=200 crops=1     how many photographs, and how many squares of each, the first in its middle
  seed=0                      from which photographs, squares and the pictures' dither are drawn
  practice=10 test=40 checks=3 exposure_ms=1000            what one participant does
  rules.max_failed_checks=1 ...                            which answers count: docs/turing.md
  data.root=DIR               where the photographs of the runs are now, if they were moved
  data=folder data.root=DIR   the photographs that a prepared data set was made from, in their own size
  uri=sqlite:///FILE          another store; else MLFLOW_TRACKING_URI, else mlflow.db

Of a run's data set only photographs that did not train are taken. No participant sees squares of one photograph in
two of practice, test and checks: the defaults take 53 photographs with crops=1 and 6 with crops=10. A picture of
another system belongs to the photograph of the same name, whatever the endings. Only its colours are used: the two
pictures of a pair have the same L. The same arguments make the same pictures."""


def main(arguments: list[str]) -> None:
    """Run the command.

    Args:
        arguments: Those behind `build`.
    """
    asked = parsed(arguments)
    protocol = asked.protocol
    if not (asked.study or asked.run_ids or asked.outside):
        raise ConfigError("study=NAME, runs=ID,ID or outside.NAME=DIR must be given: what colours the photographs")
    if asked.real is None and not (asked.study or asked.run_ids):
        raise ConfigError("real=DIR must be given where no study=NAME or runs=ID,ID is: the photographs")
    if asked.study or asked.name:
        _folder(asked, asked.study)  # before anything takes time
    runs, unfinished = _runs(asked)
    study = asked.study or _only({run.model.study for run in runs})
    folder = _folder(asked, study)
    photographs, stored_side = _photographs(asked, runs)
    outside = [Outside(name, root, [one.name for one in photographs]) for name, root in asked.outside.items()]
    if taken := {run.name for run in runs}.intersection(asked.outside):
        raise ConfigError(f"outside.{min(taken)} is called like a variant: give it another name")
    cutting = Cutting(asked.side, asked.crops, asked.seed, tuple(sorted({run.data.image_size for run in runs})))
    gathered = gather(photographs, outside, count=asked.photographs, cutting=cutting)
    if protocol.shares(gathered.counts) is None:
        raise DataError(too_few(gathered, protocol, asked))
    colors = {**_model_colors(runs, gathered.squares, asked.side), **_outside_colors(outside, gathered.squares)}
    written = write_pictures(folder, gathered.squares, colors, seed=asked.seed)
    own = [Algorithm(name=run.name, run_id=run.model.run_id, seed=run.model.seed) for run in runs]
    manifest = Manifest(
        name=asked.name or study or "",
        study=study,
        side=asked.side,
        seed=asked.seed,
        protocol=protocol,
        algorithms=[*own, *(Algorithm(name=other.name) for other in outside)],
        stimuli=written.stimuli,
        left_out=[str(one) for one in gathered.left_out],
        files=written.files,
    )
    checksum = freeze(folder, manifest)
    for line in unfinished:
        print(f"Not among them: {line}")
    print("\n".join(said(manifest, asked, gathered, written, stored_side)))
    print(f"Checksum: {checksum}")
    print(f"Serve it: python -m ablate.turing serve {shlex.quote(_shown(folder))}")


def _folder(asked: Request, study: str | None) -> Path:
    """Return where the bundle goes, which is free."""
    name = asked.name or study
    if name is None:
        raise ConfigError("name=NAME must be given: the bundle belongs to no study that it could be called after")
    check_name(name)
    folder = Path(asked.out) if asked.out else project_dir() / "turing" / name
    ensure_free(folder)
    return folder


def _runs(asked: Request) -> tuple[list[Colorist], list[str]]:
    """Return the runs that colour, and a line for each variant that has none."""
    if asked.variants and (asked.run_ids or not asked.study):
        raise ConfigError("variants= chooses among those of study=NAME: give that, and no runs=")
    if not (asked.study or asked.run_ids):
        return [], []
    from ablate.tracking.store import open_store, store_uri
    from ablate.tracking.study_record import read_study
    from ablate.turing.build.runs import by_id, colorists, names_of, of_study

    uri = store_uri(asked.uri, project_dir())
    open_store(uri, to_read=True)
    if asked.run_ids:
        models, unfinished = by_id(asked.run_ids, study=asked.study), list[str]()
        study = _only({model.study for model in models})
        return colorists(models, names_of(read_study(study, uri)) if study else {}), unfinished
    assert asked.study is not None
    record = read_study(asked.study, uri)
    models, unfinished = of_study(record, asked.variant_names)
    return colorists(models, names_of(record)), unfinished


def _only(studies: set[str]) -> str | None:
    return studies.pop() if len(studies) == 1 else None


def _photographs(asked: Request, runs: Sequence[Colorist]) -> tuple[Sequence[HeldOutPhotograph], int | None]:
    """Return the photographs to choose from, and the side at which they are stored, where only squares are."""
    if not runs:
        assert asked.real is not None
        return folder_photographs(asked.real), None
    from ablate.turing.build.runs import held_out_photographs

    moved = {"name": asked.data, "root": asked.data_root}
    found = held_out_photographs(runs, {key: value for key, value in moved.items() if value is not None})
    if asked.real is None:
        return found.photographs, found.stored_side
    others = folder_photographs(asked.real)
    unseen = [photograph for photograph in others if photograph.digest not in found.trained]
    if len(unseen) < len(others):
        print(f"Not taken: {quantity(len(others) - len(unseen), 'photograph')} in {asked.real} that trained the runs")
    return unseen, None


def _model_colors(runs: Sequence[Colorist], squares: Sequence[Square], side: int) -> dict[str, Colors]:
    """Let each model colour all squares, one model after the other."""
    if not runs:
        return {}
    from ablate.tracking.tracked_model import load_model
    from ablate.training.hardware import configure

    hardware = HardwareConfig(precision="float32", devices=None, compile="graph", onednn=True, threads=None)
    configure(hardware, seed=0, deterministic=True)
    from ablate.colorization.inference import enlarged, predict_ab

    def colors(run: Colorist) -> Colors:
        inputs = [square.inputs[run.data.image_size] for square in squares]
        found = predict_ab(load_model(run.model), inputs, run.color)
        return lambda place: enlarged(found[place], side)

    return {run.name: colors(run) for run in tqdm(runs, desc="Colouring", unit=" models", disable=None, leave=False)}


def _outside_colors(outside: Sequence[Outside], squares: Sequence[Square]) -> dict[str, Colors]:
    def colors(name: str) -> Colors:
        return lambda place: to_lab(squares[place].others[name])[..., 1:]

    return {other.name: colors(other.name) for other in outside}


def _shown(folder: Path) -> str:
    """Return a folder as it is called from here."""
    absolute = folder.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(folder)
