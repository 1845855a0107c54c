"""A study that is filled by hand."""

from tests.support.postgresql import postgres, postgres_server
from tests.support.stores import filled_store, hand_made

__all__ = ["filled_store", "hand_made", "postgres", "postgres_server"]
