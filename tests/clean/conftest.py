"""A PostgreSQL server."""

from tests.support.postgresql import postgres

__all__ = ["postgres"]
