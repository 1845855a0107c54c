"""Analyses of a human evaluation that are made by hand."""

import io
from collections.abc import Mapping, Sequence

import pandas as pd
from PIL import Image

from ablate.turing.analyse.analysis import LEAST, MOST
from ablate.turing.analyse.record import log_analysis

OTHERS = "Others' <b>_50 %"
"""A system that is no variant."""


def png(red: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(file, format="PNG")
    return file.getvalue()


def rates(**of: tuple[float, float]) -> pd.DataFrame:
    """Make rates of (rate, corrected p), with an interval of 4 points, by algorithm."""
    frame = pd.DataFrame(of, index=["rate", "p_corrected"]).T.rename_axis("algorithm").reset_index()
    return frame.assign(
        participants=range(40, 40 + len(frame)), photographs=30, trials=1600, low=frame["rate"] - 2,
        high=frame["rate"] + 2, p_chance=frame["p_corrected"] / 2, median_response_ms=812.4,
    )  # fmt: skip


def pictures(*algorithms: str, each: int = 2) -> pd.DataFrame:
    """Make pictures of one colour: of the algorithm at place p, rank r, real is red 10 p + r, recoloured 100 more."""
    rows = [
        (algorithm, f"photo{rank}", place, rank, 8, 100 - rank if place == MOST else rank, png(red), png(100 + red))
        for order, algorithm in enumerate(algorithms)
        for place in (MOST, LEAST)
        for rank in range(1, each + 1)
        for red in [10 * order + rank + (5 if place == LEAST else 0)]
    ]
    return pd.DataFrame(
        rows, columns=["algorithm", "photograph", "place", "rank", "trials", "rate", "real", "recolored"]
    )


def analysis_tables(found: pd.DataFrame, pairs: Sequence[tuple[str, str, float]]) -> dict[str, pd.DataFrame]:
    """Make the frames of an analysis, with pairs of (algorithm, other, difference) whose intervals are 6 points."""
    shown = pictures(*found["algorithm"])
    differences = pd.DataFrame(pairs, columns=["algorithm", "other", "difference"]).assign(
        low=lambda frame: frame["difference"] - 2,
        high=lambda frame: frame["difference"] + 4,
        p=0.01,
        p_corrected=0.03,
        minimum_detectable_effect=7.54,
    )
    return {
        "rates": found,
        "pairs": differences,
        "exclusions": pd.DataFrame(
            {
                "rule": [
                    "took an obvious fake for real more than once",
                    "seen for 100 ms < or > than 1000 ms",
                    "reloaded",
                ],
                "participants": [1, 0, 0],
                "trials": [40, 1017, 0],
            }
        ),
        "photographs": shown[["algorithm", "photograph", "trials", "rate"]],
        "pictures": shown,
    }


def log_hand_made_analysis(
    study: str, experiment: str, tables: Mapping[str, pd.DataFrame], runs: Mapping[str, str], closed: bool = True
) -> str:
    """Log an analysis of the algorithms in its rates and in `runs`, which says which run coloured their pictures."""
    names = dict.fromkeys([*tables["rates"]["algorithm"], *runs])
    facts = {
        "experiment": experiment,
        "study": study,
        "checksum": "c" * 64,
        "closed": closed,
        "algorithms": [{"name": name, "run_id": runs.get(name), "seed": 0} for name in names],
        "participants": {"started": 1180, "finished": 176, "kept": 172},
        "answer": ["Nothing."],
    }
    return log_analysis(study, experiment, tables=tables, summary=facts, runs={})
