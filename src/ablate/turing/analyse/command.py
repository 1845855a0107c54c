"""`python -m ablate.turing analyse`: what an experiment's answers say, and how many people the next one needs."""

import json
from pathlib import Path

from tabulate import tabulate

from ablate.cli.arguments import parse_arguments, parse_bool
from ablate.config.paths import project_dir
from ablate.errors import DataError
from ablate.report.formatting import probability, quantity, with_interval
from ablate.system.atomic_write import atomic_write
from ablate.turing.analyse.findings import Findings, findings
from ablate.turing.analyse.plan import ARGUMENTS as PLANNED
from ablate.turing.analyse.plan import chosen_answers, plan
from ablate.turing.bundle import Bundle
from ablate.turing.database import Answers

HELP = """\
Say how often each algorithm fools people, how sure that is, and which differ.

  python -m ablate.turing analyse                      the experiment in turing.db, into turing/EXPERIMENT/analysis
  python -m ablate.turing analyse experiment=NAME      of several, this one
  python -m ablate.turing analyse database=URL         from another database, such as postgresql://USER@HOST/NAME
  python -m ablate.turing analyse out=DIR              into another folder
  python -m ablate.turing analyse uri=sqlite:///FILE   the study is in another store than MLFLOW_TRACKING_URI
  python -m ablate.turing analyse track=false          without writing to MLflow

It writes rates.csv, pairs.csv, photographs.csv, exclusions.csv, trials.parquet (all answers, and which count) and
summary.json; `python -m ablate.report` then shows it with the study. Answers are left out by the rules that the bundle
was built with, and by no others. The method: docs/turing.md.

How many participants an algorithm needs for a difference of so many percentage points to be found four times in five:

  python -m ablate.turing analyse --plan difference=5
  python -m ablate.turing analyse --plan difference=5 experiment=NAME         by what answers so far say of variances
  python -m ablate.turing analyse --plan difference=5 photographs=500 trials=40 algorithms=4 rate=30

It takes photographs=200, trials=40 (of one participant), algorithms=2, rate=32.3 (percent), participants_sd=12 and
photographs_sd=10 (percentage points) where nothing else is said: docs/turing.md says why."""

ARGUMENTS = ("experiment", "database", "out", "uri", "track")
PLAN = "--plan"


def main(arguments: list[str]) -> None:
    """Run the command.

    Args:
        arguments: `NAME=VALUE` each, and `--plan`.

    Raises:
        AblateError: Something is wrong with them, the database, or the store.
    """
    if {"-h", "--help"}.intersection(arguments):
        print(HELP)
    elif PLAN in arguments:
        others = [argument for argument in arguments if argument != PLAN]
        print("\n".join(plan(parse_arguments(others, PLANNED))))
    else:
        _analyse(parse_arguments(arguments, ARGUMENTS))


def _analyse(arguments: dict[str, str]) -> None:
    tracked = parse_bool(arguments, "track", "true")
    answers = chosen_answers(arguments)
    bundle = _bundle(answers)
    found = findings(answers, bundle.picture if bundle else None)
    folder = Path(arguments.get("out") or project_dir() / "turing" / answers.experiment / "analysis")
    write(found, folder)
    print("\n".join(said(found)))
    print(f"Analysis: {folder}")
    if tracked:
        _track(found, answers, arguments.get("uri"))


def _track(found: Findings, answers: Answers, uri: str | None) -> None:
    if answers.study is None:
        print("Not in MLflow: all pictures were handed in, and belong to no study")
        return
    from ablate.tracking.store import open_store, store_uri
    from ablate.tracking.turing import TABLES, log_turing

    open_store(store_uri(uri, project_dir()), to_read=True)
    tables = {name: getattr(found, name) for name in TABLES}
    log_turing(answers.study, answers.experiment, tables=tables, summary=found.summary, runs=found.runs)
    print(f"In MLflow: the run `turing` of study {answers.study}")


def write(found: Findings, folder: Path) -> None:
    """Write findings into a folder, which is made.

    Raises:
        DataError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("rates", "pairs", "photographs", "exclusions"):
            with atomic_write(folder / f"{name}.csv") as file:
                file.write(getattr(found, name).to_csv(index=False).encode())
        with atomic_write(folder / "trials.parquet") as file:
            found.trials.to_parquet(file, index=False)
        with atomic_write(folder / "summary.json") as file:
            file.write((json.dumps(found.summary, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise DataError(f"the analysis cannot be written to {folder}: {error.strerror or error}") from None


def said(found: Findings) -> list[str]:
    """Return what the terminal shows: the table, sentences, and what was left out, in lines."""
    people, trials = found.summary["participants"], found.summary["trials"]["kept"]
    lines = [
        f"Experiment {found.summary['experiment']}: {quantity(people['started'], 'participant')}, "
        f"{people['finished']:,} finished, {people['kept']:,} with {quantity(trials, 'trial')} that count"
    ]
    if len(found.rates):
        rows = [
            (
                row["algorithm"],
                row["participants"],
                row["trials"],
                with_interval(row["rate"], row["low"], row["high"], plus=False),
                probability(row["p_corrected"]),
            )
            for row in found.rates.to_dict("records")
        ]
        headings = ("algorithm", "participants", "trials", "fooled, % [95 %]", "p of 50 %, corrected")
        lines += ["", tabulate(rows, headings, disable_numparse=True, colalign=("left", *["right"] * 4)), ""]
    lines += found.summary["answer"]
    lines += [
        f"Left out: {row['rule']}: {quantity(row['participants'], 'participant')}, {quantity(row['trials'], 'trial')}"
        for row in found.exclusions.to_dict("records")
        if row["participants"] or row["trials"]
    ]
    return lines


def _bundle(answers: Answers) -> Bundle | None:
    """Return the bundle that was judged; without it the analysis has no pictures, and the terminal says so."""
    try:
        bundle = Bundle(answers.folder)
    except DataError as error:
        print(f"Without pictures: {error}")
        return None
    if bundle.checksum != answers.checksum:
        print(f"Without pictures: the bundle in {answers.folder} is not the one that was judged")
        return None
    return bundle
