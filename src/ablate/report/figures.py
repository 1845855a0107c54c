"""The pictures of a report."""

import io
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from PIL import Image

from ablate.pictures import picture_table

BLOCK = 6
"""Variants beside each other in the grid; more of them stand below."""


def learning_curves(curves: pd.DataFrame) -> bytes:
    """Draw the loss over steps: the mean over seeds thick, each seed thin; a panel for each part.

    Args:
        curves: Columns variant, seed, part, step, loss.

    Returns:
        A PNG file.
    """
    mpl.use("agg")
    variants = curves["variant"].unique().tolist()
    look = {
        "hue": "variant",
        "hue_order": variants,
        "palette": sns.color_palette("colorblind" if len(variants) <= 10 else "husl", len(variants)),
        "style": "variant",
        "style_order": variants,
    }
    # seaborn has six dash patterns of its own; more variants than that share them.
    if len(variants) > 6:
        del look["style"], look["style_order"]
    with sns.axes_style("whitegrid"), sns.plotting_context("notebook"):
        grid = sns.relplot(
            data=curves, x="step", y="loss", col="part", kind="line", estimator="mean", errorbar=None,
            linewidth=2, height=3.6, aspect=1.3, facet_kws={"sharey": False}, **look,
        )  # fmt: skip
        for part, axes in grid.axes_dict.items():
            if curves.groupby("variant")["seed"].nunique().max() > 1:
                sns.lineplot(
                    data=curves[curves["part"] == part], x="step", y="loss", units="seed", estimator=None,
                    linewidth=0.6, alpha=0.5, legend=False, ax=axes, **look,
                )  # fmt: skip
        grid.set_titles("{col_name}").set_axis_labels("training step", "loss")
        sns.move_legend(grid, "lower center", bbox_to_anchor=(0.45, 1.0), ncol=min(len(variants), 3), title=None)
        file = io.BytesIO()
        grid.savefig(file, format="png", dpi=110)
        plt.close(grid.figure)
    return file.getvalue()


def colorized_grid(samples: pd.DataFrame) -> Image.Image:
    """Lay out sample pictures: given, truth, then every variant's output; a row an example.

    Args:
        samples: Columns variant, kind (given, truth, output), example, file; shown are the examples of all variants.

    Returns:
        One picture; more than `BLOCK` variants stand in several blocks below each other.
    """
    variants = samples["variant"].unique().tolist()

    def pictures(variant: str, kind: str) -> dict[str, Image.Image]:
        chosen = samples[(samples["variant"] == variant) & (samples["kind"] == kind)]
        return {str(row["example"]): _opened(row["file"]) for row in chosen.to_dict("records")}

    everywhere = set.intersection(*(set(own["example"]) for _, own in samples.groupby("variant")))
    samples = samples[samples["example"].isin(everywhere)]
    shared = {"input": pictures(variants[0], "given"), "truth": pictures(variants[0], "truth")}
    blocks = []
    for start in range(0, len(variants), BLOCK):
        outputs = {name.replace(",", "\n"): pictures(name, "output") for name in variants[start : start + BLOCK]}
        blocks.append(picture_table({**shared, **outputs}))
    page = Image.new("RGB", (max(block.width for block in blocks), sum(block.height for block in blocks)), "white")
    top = 0
    for block in blocks:
        page.paste(block, (0, top))
        top += block.height
    return page


def _opened(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.copy()
