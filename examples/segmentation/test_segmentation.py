"""The task keeps to the protocol: batches, initial values, evaluation, what a resumed run needs."""

from ablate.testing import TaskContract


class TestSegmentation(TaskContract):
    arguments = ("augmentation=flip",)
