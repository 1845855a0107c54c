"""The command `python -m ablate.compare`: one variant before and after a change. It imports no TensorFlow."""

import math
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.cli.arguments import file_list, parse_arguments, parse_float
from ablate.cli.command_line import configured_uri, split_config_options
from ablate.cli.errors import handle_errors
from ablate.config.paths import results_dir
from ablate.config.variant import BASELINE
from ablate.errors import ConfigError

if TYPE_CHECKING:
    from ablate.compare.sides import Side
    from ablate.tracking.study_record import StudyRecord

HELP = """\
Judge a change of code, data or configuration: one variant before and after; better, worse, equivalent, or not known.

  python -m ablate.compare study=NAME against=COMMIT    the study's newest runs, and those trained at a commit
  python -m ablate.compare study=NAME against=OTHER     another study of the store
  python -m ablate.compare study=NAME against=FILE.zip  an archive, as `python -m ablate.archive export` writes it
  python -m ablate.compare .. variant=depth=reduced     another variant than the baseline
  python -m ablate.compare .. metric=NAME margin=0.5    another metric or margin than the study's own
  python -m ablate.compare .. ledger=NAME               counted with other tries than those of this study
  python -m ablate.compare .. uri=sqlite:///FILE        another store; else the project's
  python -m ablate.compare .. --json                    for programs

The statistics are the report's: the same seeds and examples on both sides, one interval. Equivalent is what lies
within the margin, or has the same results to the last bit; worse, what is surely on the worse side of 0. To be better
takes more the more changes were tried: a ledger in the store counts them, so that all its tries together accept a
change of nothing with a probability of 5 % at most. Each study has one; where every commit has a study of its own,
ledger= names one that they share. The same comparison again is no new try. Of one seed alone nothing is known.

Exit code 0: better or equivalent; 3: worse; 4: not known; 1: an error. It trains nothing: `python -m ablate.run` does,
before and after."""

ARGUMENTS = ("study", "against", "variant", "metric", "margin", "ledger", "uri")
_NAME = re.compile(r"[\w.+-]+")
_HASH = re.compile("[0-9a-f]{7,40}")


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/changes.md"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        for_programs = "--json" in arguments
        options, given = split_config_options([argument for argument in arguments if argument != "--json"], ["--json"])
        values = parse_arguments(given, ARGUMENTS)
        for name in ("study", "against"):
            if name not in values:
                raise ConfigError(f"{name}= must be given, as in study=NAME against=COMMIT")
        margin = parse_float(values, "margin", 0.0) if "margin" in values else None
        if margin is not None and not 0 < margin < math.inf:
            raise ConfigError(f"margin must be a number above 0. Received: margin={values['margin']}")
        ledger = values.get("ledger", "")
        if ledger and (ledger in (".", "..") or not _NAME.fullmatch(ledger)):
            raise ConfigError(f"ledger must be a name of letters, digits and . + - _ alone. Received: ledger={ledger}")
        # What a project's own modules print is none of the JSON.
        with redirect_stdout(sys.stderr):
            said, code = _compared(values, options, margin, for_programs=for_programs)
        print(said)
    sys.exit(code)


def _compared(
    values: Mapping[str, str], options: Sequence[str], margin: float | None, *, for_programs: bool
) -> tuple[str, int]:
    """Compare, judge and enter into the ledger; return what is said, and the exit code."""
    from ablate.compare import text
    from ablate.compare.judge import compared
    from ablate.compare.ledger import enter
    from ablate.compare.sides import primary_metric, read_side
    from ablate.tracking.store import open_store, store_uri
    from ablate.tracking.study_record import read_study

    study, variant = values["study"], values.get("variant", BASELINE)
    uri = store_uri(configured_uri(values.get("uri"), options), results_dir())
    open_store(uri, to_read=True)
    record = read_study(study, uri)
    after = read_side(record, variant, f"study {study}")
    before = _before(record, values["against"], variant)
    open_store(uri, to_read=True)  # an archive is read through a store of its own
    change = compared(before, after, variant, primary_metric(before, after, values.get("metric"), margin))
    ledger = values.get("ledger", study)
    entry = enter(change, ledger, uri, results_dir())
    said = text.for_programs(change, entry) if for_programs else text.for_people(change, entry, ledger)
    return said, entry.judgement.exit_code


def _before(record: "StudyRecord", against: str, variant: str) -> "Side":
    """Read the earlier state: that of archives, of another study of the open store, or of a commit."""
    from ablate.archive.transfer import temporary_store
    from ablate.compare.sides import at_commit, read_side
    from ablate.tracking.provenance import resolved_commit
    from ablate.tracking.study_record import read_study, study_names

    known = study_names()
    if against in known:
        return read_side(read_study(against, record.uri), variant, f"study {against}")
    files = file_list(against)
    if all(file.is_file() for file in files):
        with temporary_store(files) as (uri, studies):
            name = record.name if record.name in studies or len(studies) > 1 else studies[0]
            return read_side(read_study(name, uri), variant, f"study {name} of {against}")
    commit = resolved_commit(Path.cwd(), against) or (against if _HASH.fullmatch(against) else None)
    if commit is None:
        raise ConfigError(
            f"against= must name a commit, an archive, or a study of the store ({', '.join(known)}). "
            f"Received: against={against}"
        )
    return read_side(
        at_commit(record, commit), variant, f"study {record.name} at commit {commit[:10]}", committed=True
    )


if __name__ == "__main__":
    main()
