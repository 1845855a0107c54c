"""Counts of the browsers that the gates of an experiment turn away: kept in the database, without whose they are."""

import threading
from collections import OrderedDict
from collections.abc import Collection

from sqlalchemy import text

from ablate.turing.database import Database
from ablate.turing.device import ANY

_REMEMBERED = 10_000
_COUNT = text(
    "INSERT INTO turned_away (experiment_id, gate, browsers) VALUES (:experiment, :gate, 1) "
    "ON CONFLICT (experiment_id, gate) DO UPDATE SET browsers = turned_away.browsers + 1"
)
"""Two servers that count at once both do, in either database."""


class TurnedAwayCounter:
    """Counts each browser once a gate, however often it tries again while the server runs.

    Args:
        database: Where the counts are.
        experiment_id: Of which experiment.
    """

    def __init__(self, database: Database, experiment_id: int):
        self._database, self._experiment_id = database, experiment_id
        self._seen = OrderedDict[str, set[str]]()
        self._guard = threading.Lock()

    def count(self, key: str, gates: Collection[str]) -> None:
        """Count that gates have turned a browser away.

        Args:
            key: A hash of its key, which is remembered in memory alone.
            gates: Their names.
        """
        with self._guard:
            seen = self._seen.setdefault(key, set())
            self._seen.move_to_end(key)
            new = {ANY, *gates} - seen
            seen |= new
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        if not new:
            return
        with self._database.writing() as session:
            # In one order, so that two servers do not wait for each other.
            for gate in sorted(new):
                session.execute(_COUNT, {"experiment": self._experiment_id, "gate": gate})
