"""`python -m ablate.turing analyse`: an experiment analysed, and how many participants the next one needs."""

from collections.abc import Sequence
from pathlib import Path

from ablate.cli.arguments import parse_arguments, parse_bool
from ablate.cli.command_line import configured_uri, split_config_options
from ablate.config.paths import results_dir
from ablate.errors import DataError
from ablate.report.number_format import quantity
from ablate.turing.analyse.analysis import Analysis, analyse
from ablate.turing.analyse.output import terminal_lines, write_files
from ablate.turing.analyse.plan import ARGUMENTS as PLANNED
from ablate.turing.analyse.plan import chosen_answers, plan
from ablate.turing.bundle import Bundle
from ablate.turing.database import Answers
from ablate.turing.export.tables import trials_table

HELP = """\
Say how often each algorithm fools people or is preferred, or how it is rated, how sure that is, and which differ.

  python -m ablate.turing analyse                      the experiment in results/turing.db
  python -m ablate.turing analyse experiment=NAME      of several, this one
  python -m ablate.turing analyse database=URL         from another database, such as postgresql://USER@HOST/NAME
  python -m ablate.turing analyse out=DIR              into another folder than results/turing/EXPERIMENT/analysis
  python -m ablate.turing analyse uri=sqlite:///FILE   the study is in another store than MLFLOW_TRACKING_URI
  python -m ablate.turing analyse track=false          without writing to MLflow

It writes rates.csv, pairs.csv, photographs.csv, exclusions.csv, trials.parquet (all trials, and which count) and
summary.json; in a preference design rates.csv is the ranking, in a rating design it has mean ratings.
`python -m ablate.report` then shows it with the study.
Answers are left out by the rules that the bundle was built with, and by no others. The method: docs/turing.md.

How many participants it takes for a difference of so many percentage points to be found four times in five:

  python -m ablate.turing analyse --plan difference=5
  python -m ablate.turing analyse --plan difference=5 experiment=NAME         by what answers so far say of variances
  python -m ablate.turing analyse --plan difference=5 photographs=500 trials=40 algorithms=4 rate=30
  python -m ablate.turing analyse --plan difference=5 design=within            each participant judges all algorithms
  python -m ablate.turing analyse --plan difference=10 design=preference       one of two is preferred in 60 % of pairs
  python -m ablate.turing analyse --plan difference=0.5 design=rating          half a point of points=7

It takes photographs=200, trials=40 (of one participant), algorithms=2, rate=32.3 (percent), participants_sd=12 and
photographs_sd=10 (percentage points) where nothing else is said: docs/turing.md says why. With design=rating the
deviations are in points of the scale, and answers_sd= is that of single ratings."""

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
        options, given = split_config_options(arguments)
        _analyse(parse_arguments(given, ARGUMENTS), options)


def _analyse(arguments: dict[str, str], options: Sequence[str]) -> None:
    tracked = parse_bool(arguments, "track", True)
    answers = chosen_answers(arguments)
    bundle = _bundle(answers)
    lost = bundle.faults() if bundle else {}
    if lost:
        first = next(iter(lost.values()))
        print(f"Without {quantity(len(lost), 'picture')} of the bundle: {first}. Answers count all the same")
    analysis = analyse(answers, bundle.picture if bundle else None, lost)
    folder = Path(arguments.get("out") or results_dir() / "turing" / answers.experiment / "analysis")
    write_files(analysis, trials_table(answers), folder)
    print("\n".join(terminal_lines(analysis)))
    print(f"Analysis: {folder}")
    if tracked:
        _track(analysis, answers, configured_uri(arguments.get("uri"), options))


def _track(analysis: Analysis, answers: Answers, uri: str | None) -> None:
    if answers.study is None:
        print("Not in MLflow: all pictures are external, and belong to no study")
        return
    from ablate.tracking.store import open_store, store_uri
    from ablate.turing.analyse.record import TABLES, log_analysis

    open_store(store_uri(uri, results_dir()), to_read=True)
    tables = {name: getattr(analysis, name) for name in TABLES}
    log_analysis(answers.study, answers.experiment, tables=tables, summary=analysis.summary, runs=analysis.runs)
    print(f"In MLflow: the run `turing` of study {answers.study}")


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
