"""A store with a study that is filled by hand."""

from tests.support.stores import filled_store, hand_made

__all__ = ["filled_store", "hand_made"]
