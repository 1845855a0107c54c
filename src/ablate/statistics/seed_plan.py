"""The seeds that a study asks for, and when it looks at its results."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class SeedPlan:
    """The seeds that a study asks for, fixed before its first run.

    Attributes:
        looks: How many seeds each variant has at each look, growing; one look where there are no further ones.
        of_baseline: How many the baseline has at least; more than the variants' at the first look make the comparison
            unpaired.
    """

    looks: tuple[int, ...]
    of_baseline: int = 0

    @property
    def paired(self) -> bool:
        """Whether runs are compared seed by seed."""
        return self.of_baseline <= self.looks[0]

    @property
    def most(self) -> int:
        """How many seeds there are in all."""
        return max(self.looks[-1], self.of_baseline)

    def counts(self, look: int, last_looks: Sequence[int]) -> list[int]:
        """Return how many seeds the baseline and each variant have at a look.

        Args:
            look: Its place, from 0.
            last_looks: Of each variant, the place of the last look that it has seeds for.
        """
        return [max(self.looks[look], self.of_baseline), *(self.looks[min(look, last)] for last in last_looks)]

    def asked(self, look: int, last_looks: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return the runs that a look rests on: (num_variants + 1, `most`), the baseline's first."""
        return np.asarray(np.arange(self.most) < np.array(self.counts(look, last_looks))[:, None])
