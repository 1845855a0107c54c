"""Fixtures of the registration's tests."""

from tests.support.stores import filled_store, hand_made

__all__ = ["filled_store", "hand_made"]
