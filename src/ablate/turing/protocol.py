"""The protocol of an experiment, and the rules by which its answers count; a bundle has both. No TensorFlow."""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from itertools import accumulate
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ablate.config.schema import Schema

Kind = Literal["practice", "test", "check"]
"""Of trials: before the test, that count, and with an obvious fake."""
Design = Literal["between", "within", "preference", "rating"]
"""Which pictures a participant judges: of one algorithm beside the real ones; of all algorithms beside the real ones;
of two algorithms beside each other; or of all algorithms, one picture at a time."""
REAL = "real"
"""Name of the real picture among the algorithms of a preference or rating design."""
_OF_DESIGNS = ("design", "with_real")


class Rules(Schema):
    """Which participants and trials are left out of the analysis.

    Attributes:
        max_failed_checks: A participant who took the obvious fake for real more often than this is left out.
        leave_out_deficient_color_vision: Whether participants who say that their colour vision is deficient are.
        min_median_response_ms: A participant whose median response comes faster is: nobody looks and decides so fast.
        exposure_tolerance_ms: A trial whose pictures were seen for longer or shorter than `Protocol.exposure_ms` by
            more than this is left out.
        max_loads: A trial whose pictures were asked for more often, by reloading the page, is.
    """

    max_failed_checks: NonNegativeInt = 1
    leave_out_deficient_color_vision: bool = True
    min_median_response_ms: NonNegativeInt = 150
    exposure_tolerance_ms: PositiveInt = 100
    max_loads: PositiveInt = 3


class Protocol(Schema):
    """What a participant does (paper, section 4.2, and its published protocol).

    Attributes:
        practice: Trials before the test, which do not count; with feedback where a picture is the real one.
        test: Trials that count.
        checks: Trials among them with an obvious fake, which do not count.
        exposure_ms: For how long a pair is seen.
        rules: Which answers count.
        design: Which pictures a participant judges.
        with_real: Whether the real picture is one of those that a preference or rating design compares.
        points: Of the scale of a rating design, from 1.
    """

    practice: Annotated[int, Field(ge=0, le=100)] = 10
    test: Annotated[int, Field(ge=1, le=500)] = 40
    checks: Annotated[int, Field(ge=0, le=50)] = 3
    exposure_ms: Annotated[int, Field(ge=100, le=60_000)] = 1000
    rules: Rules = Rules()
    design: Design = "between"
    with_real: bool = False
    points: Annotated[int, Field(ge=2, le=11)] = 7

    @model_validator(mode="after")
    def _fits(self) -> "Protocol":
        if self.with_real and self.has_fakes:
            raise ValueError(
                "with_real is for design=preference and design=rating: elsewhere every pair has the real picture"
            )
        if self.points != Protocol.model_fields["points"].default and not self.is_rating:
            raise ValueError("points is for design=rating: it is how many its scale has")
        return self

    @model_serializer(mode="wrap")
    def _plain(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is as it was before there were designs: bundles of that time keep their checksums."""
        plain: dict[str, Any] = values(self)
        left_out = (*(_OF_DESIGNS if self.design == "between" else ()), *(() if self.is_rating else ("points",)))
        return {key: value for key, value in plain.items() if key not in left_out}

    @property
    def one_algorithm(self) -> bool:
        """Whether a participant judges pictures of one algorithm alone."""
        return self.design == "between"

    @property
    def has_fakes(self) -> bool:
        """Whether each pair has the real picture and a fake, so that an answer is right or wrong."""
        return self.design in ("between", "within")

    @property
    def is_rating(self) -> bool:
        """Whether one picture at a time is shown, and rated."""
        return self.design == "rating"

    @property
    def middle(self) -> float:
        """Middle of the scale of a rating design: an obvious fake that is rated higher is a failed check."""
        return (1 + self.points) / 2

    @property
    def photographs(self) -> int:
        """How many crops of photographs one participant sees, each once."""
        return sum(self.trials.values())

    @property
    def trials(self) -> Mapping[Kind, int]:
        """How many trials of each kind one participant has, each with a crop of its own."""
        return {"test": self.test, "practice": self.practice, "check": self.checks}

    def shares(self, crops: Collection[int]) -> Mapping[Kind, int] | None:
        """Say how many photographs each kind of trial gets: none is in two, as practice shows what is real.

        As few as suffice, whichever they are; and of what is left, first for the test, at most one a trial.

        Args:
            crops: How many there are of each photograph, at least one.

        Returns:
            None where there are too few photographs.
        """
        fewest = list(accumulate(sorted(crops), initial=0))
        shares = {kind: bisect_left(fewest, self.trials[kind]) for kind in self.trials}
        left = len(crops) - sum(shares.values())
        if left < 0:
            return None
        for kind in shares:
            more = min(left, self.trials[kind] - shares[kind])
            shares[kind], left = shares[kind] + more, left - more
        return shares
