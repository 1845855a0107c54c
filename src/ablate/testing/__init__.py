"""Test suites for authors of plug-ins, usable with pytest."""

from ablate.testing.task_contract import TaskContract as TaskContract
