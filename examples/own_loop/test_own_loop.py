"""The task keeps to the protocol: what it measures, and that the same seed gives the same bits."""

from ablate.testing import TaskContract


class TestDigits(TaskContract):
    arguments = ("training.epochs=2",)
