"""The database of participants and answers."""

from ablate.turing.database.answers import Answers, experiment_names, read_answers
from ablate.turing.database.connection import Database, default_database
from ablate.turing.database.tables import Consent, Device, Experiment, OwnAnswers, Participant, Trial, Withdrawal

__all__ = [
    "Answers",
    "Consent",
    "Database",
    "Device",
    "Experiment",
    "OwnAnswers",
    "Participant",
    "Trial",
    "Withdrawal",
    "default_database",
    "experiment_names",
    "read_answers",
]
