"""Names of metrics, `GROUP/NAME`: which of them are a run's result."""

EVALUATED = "eval"
"""What evaluation measured."""
CIRCUMSTANCES = frozenset({"cost", "plan", "system", "turing"})
"""Groups that are no results: what a run took, what was predicted, the machine's load, and what people said later.

All others are (`train`, `val`, `eval`, `reference`, `data`), with no need to be named: a group that is new and not
declared here has to be the same to the last bit in every repetition, which the tests check; of a list of results it
would be missing, and nobody would notice.
"""


def group_of(metric: str) -> str:
    """Return a metric's group, the part of its name before the first slash."""
    return metric.partition("/")[0]


def is_result(metric: str) -> bool:
    """Return whether a metric is determined by its run's identity, wherever it runs and however often interrupted."""
    return group_of(metric) not in CIRCUMSTANCES
