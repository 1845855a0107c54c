"""The answer of a rating design in sentences, and its table of pictures."""

from collections.abc import Sequence

import pandas as pd

from ablate.report.number_format import with_interval
from ablate.turing.analyse.difference_sentences import difference_sentences


def rated_by_photograph(trials: pd.DataFrame) -> pd.DataFrame:
    """Return how each picture of each algorithm was rated.

    Args:
        trials: Of a rating design, that count.

    Returns:
        Columns algorithm, photograph, picture (file), trials, rating (mean).
    """
    keys = ["algorithm", "photograph", "picture"]
    rated = trials.rename(columns={"recolored": "picture"}).groupby(keys)["rating"]
    return rated.agg(trials="size", rating="mean").reset_index()


def rating_sentences(compared: Sequence[str], ratings: pd.DataFrame, pairs: pd.DataFrame, points: int) -> list[str]:
    """Return sentences on what ratings and their pairs show.

    Args:
        compared: All that the experiment compares.
        ratings: See `ratings.RATINGS`.
        pairs: See `rates.PAIRS`.
        points: Of the scale.
    """
    rated = ratings["algorithm"].tolist()
    nobody = [name for name in compared if name not in rated]
    sentences = [f"No answer counts yet of {'; '.join(nobody)}."] if nobody else []
    if ratings.empty:
        return sentences
    listed = "; ".join(
        f"{row['algorithm']} {with_interval(row['rating'], row['low'], row['high'], plus=False)}"
        for row in ratings.sort_values("rating", ascending=False, kind="stable").to_dict("records")
    )
    sentences.append(f"Mean ratings, from 1 to {points}: {listed}.")
    alone = ratings.loc[ratings["participants"] == 1, "algorithm"]
    if len(alone):
        sentences.append(f"Rated by one participant, so that nothing is known of other people: {'; '.join(alone)}.")
    return sentences + difference_sentences(pairs, "is rated higher than", f"of {points} points")
