"""`python -m ablate.report`: compare the runs of a study."""

import sys
from pathlib import Path

from ablate.cli import command
from ablate.config import project_dir
from ablate.errors import ConfigError, TrackingError
from ablate.schema import unknown

HELP = """\
Compare the runs of a study: a table with cost, colourised photographs and learning curves.

  python -m ablate.report                     the study with the newest run, into reports/STUDY
  python -m ablate.report study=NAME          another one
  python -m ablate.report study=NAME out=DIR  into another folder
  python -m ablate.report uri=sqlite:///FILE  from another store; else MLFLOW_TRACKING_URI, else mlflow.db

It writes report.html (one file, opens from disk), report.md, comparison.csv, runs.csv, grid.png and curves.png."""

ARGUMENTS = ("study", "out", "uri")


def main() -> None:
    """Run the command."""
    if {"-h", "--help"}.intersection(sys.argv[1:]):
        print(HELP)
        return
    with command():
        arguments = _arguments(sys.argv[1:])
        from ablate.report.compare import compare
        from ablate.report.load import load
        from ablate.report.render import write
        from ablate.tracking.read import read_study, study_names
        from ablate.tracking.store import open_store, store_uri

        uri = store_uri(arguments.get("uri"), project_dir())
        open_store(uri, to_read=True)
        studies = [arguments["study"]] if "study" in arguments else study_names()
        if not studies:
            raise TrackingError(f"there are no runs yet in {uri}: `python -m ablate.run` makes one")
        results = load(read_study(studies[0], uri))
        folder = Path(arguments.get("out") or project_dir() / "reports" / results.study)
        page = write(results, compare(results.values), folder)
        print(f"{len(results.runs)} runs of study {results.study} compared")
        for line in results.left_out:
            print(f"Not compared: {line}")
        print(f"Report: {page}")


def _arguments(given: list[str]) -> dict[str, str]:
    arguments = {}
    for argument in given:
        name, equals, value = argument.partition("=")
        if name not in ARGUMENTS:
            raise ConfigError(unknown(name, ARGUMENTS))
        if not equals or not value:
            raise ConfigError(f"{name} needs a value, as in {name}=VALUE")
        arguments[name] = value
    return arguments


if __name__ == "__main__":
    main()
