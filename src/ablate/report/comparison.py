"""The comparison of a study's results by all of its metrics, which reports show and registrations rest on."""

import pandas as pd

from ablate.report.compare import compare
from ablate.report.results import Results


def comparison_of(results: Results) -> pd.DataFrame:
    """Compare what was loaded, see `compare`."""
    return compare(
        results.scores,
        results.directions,
        results.primary,
        results.whole_set,
        paired=results.paired,
        looked=results.looked,
    )
