"""A clock whose time is set by hand."""


class Hand:
    """Returns `seconds`, which a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds
