"""The database of participants and answers."""

from ablate.turing.database.answers import Answers, experiment_names, read_answers
from ablate.turing.database.connection import Database, default_database
from ablate.turing.database.tables import Experiment, Participant, Trial

__all__ = [
    "Answers",
    "Database",
    "Experiment",
    "Participant",
    "Trial",
    "default_database",
    "experiment_names",
    "read_answers",
]
