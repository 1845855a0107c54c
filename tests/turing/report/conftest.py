"""Stores that are filled by hand, and a report on one that nobody judged."""

from tests.support.stores import filled_store, hand_made, made

__all__ = ["filled_store", "hand_made", "made"]
