"""Stores that are filled by hand, and drawings that are collected."""

from tests.support.figures import drawn
from tests.support.stores import filled_store, hand_made

__all__ = ["drawn", "filled_store", "hand_made"]
