"""The grid of sample pictures: input, truth, and every variant's output."""

import io
import math
from collections.abc import Sequence

import pandas as pd
from PIL import Image

from ablate.config.short_names import shorten
from ablate.report.figures.figure import Figure, name_lines
from ablate.report.nouns import capitalized, plural, with_article
from ablate.report.number_format import quantity
from ablate.system.images import jpeg, picture_table

MOST = 24
TITLE = 24
"""Most characters of a line of a title."""
BLOCK = 6
"""Most variants beside each other; more of them stand below, beside input and truth again."""


def picture_grid(
    samples: pd.DataFrame, *, order: Sequence[str], rows: Sequence[tuple[str, str]], example: str
) -> Figure:
    """Lay out sample pictures: a row an example; input, truth, then every variant's output.

    Args:
        samples: Columns variant, kind (given, truth, output), example, picture (a PNG file).
        order: The variants, from the left.
        rows: Examples from the top, each with why it is shown.
        example: What an example is called.

    Returns:
        The figure; of more than `MOST` variants the first. A picture that is missing leaves its cell empty.
    """
    outputs = set(samples.loc[samples["kind"] == "output", "variant"])
    with_outputs = [variant for variant in order if variant in outputs]
    variants = with_outputs[:MOST]
    chosen = samples[samples["example"].isin([name for name, _ in rows]) & samples["variant"].isin(variants)]
    pictures: dict[tuple[str, str], dict[str, Image.Image]] = {}
    # Input and truth are the same for all variants: the first that has one gives it.
    needed = chosen.assign(of=chosen["variant"].where(chosen["kind"] == "output", ""))
    for row in needed.drop_duplicates(["of", "kind", "example"]).to_dict("records"):
        pictures.setdefault((row["of"], row["kind"]), {})[row["example"]] = opened(row["picture"])
    shared = {
        title: pictures["", kind] for title, kind in (("input", "given"), ("truth", "truth")) if ("", kind) in pictures
    }
    # Evenly filled blocks: 14 are 5 + 5 + 4, not 6 + 6 + 2.
    blocks = max(math.ceil(len(variants) / BLOCK), 1)
    width = max(math.ceil(len(variants) / blocks), 1)
    tables = [
        picture_table(
            {
                **shared,
                **{_title(name): pictures.get((name, "output"), {}) for name in variants[start : start + width]},
            },
            rows,
        )
        for start in range(0, max(len(variants), 1), width)
    ]
    reasons = ", ".join(dict.fromkeys(reason for _, reason in rows if reason))
    capped = f"The first {MOST} of {len(with_outputs)} variants." if len(with_outputs) > MOST else ""
    return Figure(
        name="grid",
        title=capitalized(f"{plural(example)} and outputs"),
        alt=(
            f"{quantity(len(rows), example)}{f' ({reasons})' if reasons else ''}: "
            f"{''.join(f'the {title}, ' for title in shared)}and the output of "
            f"{', '.join(map(shorten, variants[:8]))}"
            f"{f' and {len(variants) - 8} more' if len(variants) > 8 else ''}."
        ),
        caption=(
            f"A row is {with_article(example)}{', chosen by a rule for what stands at its left' if reasons else ''}; "
            "a column is a variant."
        ),
        files={"jpg": jpeg(tiled(tables))},
        method=capped,
    )


def _title(name: str) -> str:
    return "\n".join(name_lines(name, TITLE))


def tiled(tables: Sequence[Image.Image], across: int = 1) -> Image.Image:
    """Return tables as one picture on white, so many beside each other, which end at the same height."""
    lines = [tables[start : start + across] for start in range(0, len(tables), across)]
    heights = [max(table.height for table in line) for line in lines]
    page = Image.new("RGB", (max(sum(table.width for table in line) for line in lines), sum(heights)), "white")
    for place, line in enumerate(lines):
        for beside, table in enumerate(line):
            left = sum(before.width for before in line[:beside])
            page.paste(table, (left, sum(heights[: place + 1]) - table.height))
    return page


def opened(picture: bytes) -> Image.Image:
    """Return the picture of a PNG file."""
    with Image.open(io.BytesIO(picture)) as file:
        return file.convert("RGB")
