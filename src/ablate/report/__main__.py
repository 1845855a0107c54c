"""`python -m ablate.report`: compare the runs of a study."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.cli.arguments import file_list, parse_arguments, parse_bool
from ablate.cli.command_line import configured_uri, split_config_options
from ablate.cli.errors import handle_errors
from ablate.cli.terminal import visible_line
from ablate.config.paths import results_dir
from ablate.errors import ConfigError, TrackingError

if TYPE_CHECKING:
    from ablate.report.report import Report

HELP = """\
Compare the runs of a study: which part matters, by how much, how surely, and at what cost.

  python -m ablate.report                     the study with the newest run, into results/reports/STUDY
  python -m ablate.report study=NAME          another one
  python -m ablate.report study=NAME out=DIR  into another folder
  python -m ablate.report metric=NAME         by another metric than the study's own
  python -m ablate.report columns=NAME,.. rows=NAME;..
                                              the table for papers, in report.tex and report.md: these columns, and
                                              these variants and trivial baselines, in this order
  python -m ablate.report partial=true        of a study that is not finished, or whose runs do not all agree
  python -m ablate.report uri=sqlite:///FILE  from another store; else the project's tracking.uri, MLFLOW_TRACKING_URI,
                                              results/mlflow.db
  python -m ablate.report from=FILE           from an archive, without a store: `python -m ablate.archive` writes one;
                                              several with commas between
  python -m ablate.report track=false         without writing the report to MLflow as well

It writes report.html (one file, opens from disk, prints), report.md and report.tex with figures/ (PNG and PDF),
checklist.md (the reproducibility checklist of venues, answered from what is tracked), comparison.csv and .parquet,
runs.csv, scores.parquet (a row a variant, seed and example) and summary.json.

Columns: a metric; seeds; a cost, as cost/parameters; difference (with its interval), p, effect_size,
minimum_detectable_effect, gained, verdict and mark (the verdict's) of the primary metric, METRIC.difference and so on
of any; COST.difference. Intervals, p and verdicts are those of all variants, whatever a table shows.

Runs on other data, evaluated otherwise, or with other code are never mixed: the report says which they are. How
differences, intervals and verdicts come about: docs/statistics.md."""

ARGUMENTS = ("study", "from", "out", "metric", "columns", "rows", "partial", "uri", "track")
_SHOWN = 10
"""Missing runs that are named on the terminal."""


def main() -> None:
    """Run the command."""
    with handle_errors("docs/reference/commands.md#report"):
        if {"-h", "--help"}.intersection(sys.argv[1:]):
            print(HELP)
            return
        options, given = split_config_options(sys.argv[1:])
        arguments = parse_arguments(given, ARGUMENTS)
        partial, tracked = parse_bool(arguments, "partial", False), parse_bool(arguments, "track", True)
        # Figures go to files, whatever windows the environment asks for; an unknown one would be an error.
        os.environ["MPLBACKEND"] = "agg"
        from ablate.report.load import load
        from ablate.report.overview import track_report
        from ablate.report.render import make_folder, write
        from ablate.report.report import make_report
        from ablate.report.tables import Layout
        from ablate.tracking.study_record import read_study

        with _opened(arguments, options) as (name, uri):
            results = load(read_study(name, uri), partial=partial, metric=arguments.get("metric"))
            folder = Path(arguments.get("out") or results_dir() / "reports" / results.study)
            make_folder(folder)  # before anything takes time
            report = make_report(results, Layout(arguments.get("columns", ""), arguments.get("rows", "")))
            files = write(report, folder)
            _print_summary(report, files[-1])
            if tracked and "from" not in arguments:
                track_report(report, folder, files)


@contextmanager
def _opened(arguments: Mapping[str, str], options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Open the store, and yield the name of the study that is named, or that with the newest run, and the address.

    Args:
        arguments: The command's own.
        options: Those that choose the configuration, which may name the store.
    """
    from ablate.tracking.store import open_store, store_uri
    from ablate.tracking.study_record import study_names

    if "from" in arguments:
        with _opened_archives(arguments) as opened:
            yield opened
        return
    uri = store_uri(configured_uri(arguments.get("uri"), options), results_dir())
    open_store(uri, to_read=True)
    studies = [arguments["study"]] if "study" in arguments else study_names()
    if not studies:
        raise TrackingError(f"there are no runs yet in {uri}: `python -m ablate.run` makes one")
    yield studies[0], uri


@contextmanager
def _opened_archives(arguments: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    from ablate.archive.transfer import temporary_store

    if "uri" in arguments:
        raise ConfigError("from= names archives, uri= a store: a report is made from one of them")
    with temporary_store(file_list(arguments["from"])) as (uri, studies):
        chosen = arguments.get("study", studies[0])
        if chosen not in studies or ("study" not in arguments and len(studies) > 1):
            raise ConfigError(f"study= must be one of {', '.join(studies)}, which the archives have")
        yield chosen, uri


def _print_summary(report: "Report", page: Path) -> None:
    results = report.results
    print(f"{len(results.runs)} run{'s' * (len(results.runs) != 1)} of study {results.study} compared")
    for line in report.answer:
        print(visible_line(line))
    for gap in results.gaps[:_SHOWN]:
        print(f"Missing: {visible_line(str(gap))}")
    if len(results.gaps) > _SHOWN:
        print(f"Missing: {len(results.gaps) - _SHOWN} more, which the report names")
    print(f"Report: {page}")


if __name__ == "__main__":
    main()
