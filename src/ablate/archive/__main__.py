"""`python -m ablate.archive`: a study as one file."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.cli.arguments import file_list, parse_arguments, parse_bool
from ablate.cli.command_line import configured_uri, split_config_options
from ablate.cli.errors import handle_errors
from ablate.cli.file_size import file_size
from ablate.cli.terminal import visible_line
from ablate.config.paths import results_dir
from ablate.config.schema import unknown_key, unknown_level
from ablate.errors import ConfigError, TrackingError

if TYPE_CHECKING:
    from ablate.archive.transfer import Imported

HELP = """\
A study as one file: to keep, to hand over, to merge with what other machines have trained, to report on.

  python -m ablate.archive export                          the study with the newest run, to results/archives/STUDY.zip
  python -m ablate.archive export study=NAME out=FILE      another one, to another file
  python -m ablate.archive export samples=false            without the pictures of its examples
  python -m ablate.archive export figures=false            without what each run drew of them; its report is the same
  python -m ablate.archive export models=true              with its models
  python -m ablate.archive export anonymous=true           without who ran it, on which machine and in which folders
  python -m ablate.archive export without=FILE             a further part, to STUDY-2.zip: what has finished since FILE
  python -m ablate.archive import FILE...                  its runs, into the store; twice adds nothing
  python -m ablate.archive import FILE conflicts=keep      where the store has another result of a run, keep that
  python -m ablate.report from=FILE                        its report, without a store

uri=sqlite:///FILE names another store; else it is the project's tracking.uri, MLFLOW_TRACKING_URI, results/mlflow.db.

An archive holds all that a report shows, so that a report is the same to the byte: definition, registration,
configurations, data, every example's metrics, curves, costs, provenance. The same study gives the same bytes. An older
archive of the same study is replaced, no other file. What is imported is a result like any other: `ablate run` trains
it no more. Nothing in an archive is executed; one that is damaged is refused whole. The format, for other programs:
docs/archive.md."""

COMMANDS = ("export", "import")
_EXPORT = ("study", "out", "samples", "figures", "models", "anonymous", "without", "uri")
_IMPORT = ("conflicts", "uri")
_DEFAULTS = {"samples": True, "figures": True, "models": False, "anonymous": False}
_CONFLICTS = ("refuse", "keep")


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/archive.md"):
        if not arguments or {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        command, *others = arguments
        if command not in COMMANDS:
            raise ConfigError(unknown_key(command, COMMANDS, what="command"))
        options, given = split_config_options(others)
        if command == "export":
            _export(parse_arguments(given, _EXPORT), options)
        else:
            files = [argument for argument in given if argument.partition("=")[0] not in _IMPORT]
            _import(files, parse_arguments([each for each in given if each not in files], _IMPORT), options)


def _export(arguments: Mapping[str, str], options: Sequence[str]) -> None:
    flags = {name: parse_bool(arguments, name, default) for name, default in _DEFAULTS.items()}
    from ablate.archive.transfer import export_study
    from ablate.tracking.store import open_store, store_uri
    from ablate.tracking.study_record import study_names

    uri = store_uri(configured_uri(arguments.get("uri"), options), results_dir())
    open_store(uri, to_read=True)
    studies = [arguments["study"]] if "study" in arguments else study_names()
    if not studies:
        raise TrackingError(f"there are no runs yet in {uri}: `python -m ablate.run` makes one")
    before = file_list(arguments["without"]) if "without" in arguments else []
    part = f"-{len(before) + 1}" if before else ""
    file = Path(arguments.get("out") or results_dir() / "archives" / f"{studies[0]}{part}.zip")
    manifest = export_study(studies[0], uri, file, without=before, **flags)
    size = file_size(file.stat().st_size)
    print(visible_line(f"{_runs(manifest.runs)} of study {manifest.study}: {file} ({size})"))


def _import(files: Sequence[str], arguments: Mapping[str, str], options: Sequence[str]) -> None:
    conflicts = arguments.get("conflicts", "refuse")
    if conflicts not in _CONFLICTS:
        raise ConfigError(unknown_level("conflicts", conflicts, _CONFLICTS))
    if not files:
        raise ConfigError("import needs at least one archive: python -m ablate.archive import FILE...")
    from ablate.archive.read import opened_archive
    from ablate.archive.transfer import import_archive
    from ablate.tracking.store import open_store, store_uri

    uri = store_uri(configured_uri(arguments.get("uri"), options), results_dir())
    for file in files:
        with opened_archive(Path(file)) as archive:
            open_store(uri)
            keep = conflicts == "keep"
            print(visible_line(_says(file, import_archive(archive, uri, results_dir(), keep=keep))))


def _says(file: str, done: "Imported") -> str:
    parts = [f"{_runs(done.added)} of study {done.study} added"]
    if done.there:
        parts.append(f"{done.there} {'was' if done.there == 1 else 'were'} there")
    if done.same:
        parts.append(f"{done.same} had the result of a run that is there")
    if done.kept:
        parts.append(f"{done.kept} {'has' if done.kept == 1 else 'have'} another result than is there, which was kept")
    return f"{file}: {', '.join(parts)}"


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


if __name__ == "__main__":
    main()
