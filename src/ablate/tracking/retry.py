"""Writes to the store that another process may be doing at the same moment."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from mlflow.exceptions import MlflowException

_ATTEMPTS = 10
_SECONDS = 0.05
_TAKEN = ("integrityerror", "uniqueviolation", "unique constraint", "duplicate key", "duplicate entry")
"""What SQLite, PostgreSQL and MySQL say of a row that is there already, also through a server."""

Returned = TypeVar("Returned")


def retry_taken(write: Callable[[], Returned]) -> Returned:
    """Write a row that several runs share: a data set, a tag of their study.

    MLflow looks whether the row is there and inserts it where it is not. If another process inserts it in between, the
    store refuses the second one, and nothing of it is written: the same call then finds the row.

    Args:
        write: Calls MLflow.

    Raises:
        MlflowException: For any other reason, or after ten attempts.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return write()
        except MlflowException as error:
            if not any(word in str(error).lower() for word in _TAKEN):
                raise
        time.sleep(random.uniform(0, _SECONDS))
    return write()
