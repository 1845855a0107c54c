"""`python -m ablate.turing export`: an experiment's data for other analyses, as a Psych-DS folder."""

import time
from pathlib import Path

from ablate.cli.arguments import parse_arguments, parse_bool
from ablate.config.paths import results_dir
from ablate.turing.analyse.plan import chosen_answers
from ablate.turing.export.codebook import summary
from ablate.turing.export.psych_ds import may_be_there, psych_ds_files, write_folder

HELP = """\
Write the data of an experiment for other analyses: who took part, every trial, and what counts and why not.

  python -m ablate.turing export                      the experiment in results/turing.db
  python -m ablate.turing export experiment=NAME      of several, this one
  python -m ablate.turing export database=URL         from another database, such as postgresql://USER@HOST/NAME
  python -m ablate.turing export personal=true        with ids and comments of participants; else it is pseudonymous
  python -m ablate.turing export out=DIR              into another folder than results/turing/EXPERIMENT/export

It is a Psych-DS folder: data/*_data.csv, dataset_description.json, codebook.json with the type and meaning of every
column, README.md that says how R and pandas read it, and the consent texts that participants agreed to. Who withdrew
is not in it. Written again, it replaces what it wrote before. The columns: docs/turing_codebook.md."""

ARGUMENTS = ("experiment", "database", "out", "personal")


def main(arguments: list[str]) -> None:
    """Run the command.

    Args:
        arguments: `NAME=VALUE` each.

    Raises:
        AblateError: Something is wrong with them, or with the database.
    """
    given = parse_arguments(arguments, ARGUMENTS)
    answers = chosen_answers(given, personal=parse_bool(given, "personal", False))
    folder = Path(given.get("out") or results_dir() / "turing" / answers.experiment / "export")
    write_folder(psych_ds_files(answers, time.time()), folder, stale=may_be_there(answers.experiment))
    print(summary(answers))
    print(f"Data: {folder}")
