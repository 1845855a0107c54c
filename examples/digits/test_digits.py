"""The task keeps to the protocol: batches, initial values, evaluation, what a resumed run needs."""

from ablate.testing import TaskContract


class TestDigits(TaskContract):
    arguments = ("dropout=half", "augmentation=shift")
