"""A PostgreSQL server."""

from tests.support.postgresql import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]
