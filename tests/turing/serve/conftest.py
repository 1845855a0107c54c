"""Where a server keeps its answers."""

from tests.support.postgresql import postgres

__all__ = ["postgres"]
