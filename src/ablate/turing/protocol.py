"""How an experiment goes, and which of its answers count: fixed when its bundle is built. No TensorFlow."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from ablate.schema import Schema


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
        practice: Trials with feedback before the test; they do not count.
        test: Trials that count.
        checks: Trials among them with an obvious fake, which do not count.
        exposure_ms: For how long a pair is seen.
        rules: Which answers count.
    """

    practice: Annotated[int, Field(ge=0, le=100)] = 10
    test: Annotated[int, Field(ge=1, le=500)] = 40
    checks: Annotated[int, Field(ge=0, le=50)] = 3
    exposure_ms: Annotated[int, Field(ge=100, le=60_000)] = 1000
    rules: Rules = Rules()

    @property
    def photographs(self) -> int:
        """How many photographs one participant sees, each once."""
        return self.practice + self.test + self.checks
