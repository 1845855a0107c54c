"""A report's forms: CSV, Markdown, and one self-contained HTML page."""

import base64
import io
import os
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from ablate.errors import AblateError
from ablate.report.compare import in_order
from ablate.report.figures import colorized_grid, learning_curves
from ablate.report.load import Results
from ablate.study.variant import BASELINE

COSTS = {
    "cost/parameters": "Parameters",
    "cost/flops_per_image": "FLOPs an image",
    "cost/wall_seconds": "Training, s",
    "cost/images_per_second": "Images/s",
    "cost/peak_memory_mib": "Peak memory, MiB",
    "cost/peak_device_memory_mib": "Peak GPU memory, MiB",
}


@dataclass(frozen=True)
class Cell:
    """A value in a table, as text: its mean, its deviation over seeds, its difference from the baseline."""

    mean: str
    sd: str = ""
    difference: str = ""
    best: bool = False


def write(results: Results, comparison: pd.DataFrame, folder: Path) -> Path:
    """Write a report's files; each replaces an older one of its name at once.

    Args:
        results: What was loaded.
        comparison: What `compare.compare` made of it.
        folder: Where they go; it is made.

    Returns:
        The HTML page: beside it are report.md, comparison.csv, runs.csv, curves.png and grid.png.

    Raises:
        AblateError: The folder cannot be written.
    """
    curves, grid = learning_curves(results.curves), _png(colorized_grid(results.samples))
    page = _page(results, comparison)
    images = {"curves": _data_uri(curves), "grid": _data_uri(grid)}
    files = {
        "comparison.csv": comparison.to_csv(index=False).encode(),
        "runs.csv": results.runs.to_csv().encode(),
        "curves.png": curves,
        "grid.png": grid,
        "report.md": _template("report.md.j2").render(**page).encode(),
        "report.html": _template("report.html.j2").render(**page, images=images).encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            aside = folder / f".{name}.{os.getpid()}"
            try:
                aside.write_bytes(content)
                aside.replace(folder / name)
            finally:
                aside.unlink(missing_ok=True)
    except OSError as error:
        raise AblateError(f"the report cannot be written to {folder}: {error.strerror}") from None
    return folder / "report.html"


def _template(name: str) -> Any:
    loader = PackageLoader("ablate.report", "templates")
    escaped = name.endswith(".html.j2")
    environment = Environment(
        loader=loader, autoescape=escaped, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["md"] = markdown_escaped
    return environment.get_template(name)


def _page(results: Results, comparison: pd.DataFrame) -> dict[str, Any]:
    """Gather what the templates show."""
    runs = results.runs
    variants = in_order(runs["variant"].tolist())
    specs = results.specs.reset_index().to_dict("records")
    quality = {str(spec["name"]): _heading(spec) for spec in specs}
    costs = {name: label for name, label in COSTS.items() if name in set(comparison["metric"])}
    seeds_of = runs.groupby("variant")["seed"].nunique()
    seeds = [int(seeds_of[variant]) for variant in variants]
    return {
        "study": results.study,
        "question": results.question,
        "store": without_password(results.uri),
        "common": results.common,
        "baseline": BASELINE if BASELINE in variants else None,
        "variants": variants,
        "seeds": dict(zip(variants, seeds, strict=True)),
        "one_seed": max(seeds) == 1,
        "unequal_seeds": min(seeds) < max(seeds),
        "all_seeds": sorted(runs["seed"].unique().tolist()),
        "runs": len(runs),
        "reused": int(runs["reused_from"].notna().sum()) if "reused_from" in runs else 0,
        "quality": quality,
        "costs": costs,
        "quality_cells": _cells(comparison, {str(spec["name"]): spec["higher_is_better"] for spec in specs}),
        "cost_cells": _cells(comparison, dict.fromkeys(costs), whole=("cost/parameters", "cost/flops_per_image")),
        "references": _reference_cells(results.references),
        "specs": specs,
        "examples": results.examples,
        "shown_examples": int(results.samples["example"].nunique()),
        "problems": results.problems,
        "left_out": results.left_out,
        "newest": runs["started"].max().strftime("%Y-%m-%d %H:%M UTC"),
        "facts": {name: _distinct(runs, name) for name in ("data.fingerprint", "commit", "devices", "precision")},
    }


def _heading(spec: Mapping[Hashable, Any]) -> str:
    arrow = {True: " ↑", False: " ↓"}.get(spec["higher_is_better"], "")
    return f"{spec['label']}{', ' + spec['unit'] if spec['unit'] else ''}{arrow}"


def _cells(
    comparison: pd.DataFrame, directions: Mapping[str, bool | None], whole: tuple[str, ...] = ()
) -> dict[tuple[str, str], Cell]:
    cells = {}
    for metric, rows in comparison[comparison["metric"].isin(list(directions))].groupby("metric"):
        name, direction = str(metric), directions[str(metric)]
        means = rows["mean"].tolist()
        differ = direction is not None and len({mean for mean in means if np.isfinite(mean)}) > 1
        best = (np.nanmax(means) if direction else np.nanmin(means)) if differ else None
        for row in rows.to_dict("records"):
            mean, sd, difference = (float(row[column]) for column in ("mean", "sd", "difference"))
            cells[str(row["variant"]), name] = Cell(
                mean=large(mean) if name in whole else number(mean),
                sd="" if np.isnan(sd) or name in whole else f"± {sd:.2g}",
                difference=""
                if row["variant"] == BASELINE or np.isnan(difference)
                else signed(difference, counted=name in whole),
                best=mean == best,
            )
    return cells


def _reference_cells(references: pd.DataFrame) -> dict[str, dict[str, str]]:
    return {
        str(name): {str(row["metric"]): number(row["value"]) for row in rows.to_dict("records")}
        for name, rows in references.groupby("reference", sort=False)
    }


def _distinct(runs: pd.DataFrame, column: str) -> str:
    values = sorted(set(runs[column].dropna())) if column in runs else []
    return ", ".join(value[:12] if len(value) >= 40 else value for value in values) or "unknown"


def number(value: float) -> str:
    """Write a number with four significant digits, at most four of them decimal."""
    if np.isnan(value):
        return "-"
    if abs(value) >= 1e15:  # databases keep an infinite value as their largest
        return f"{value:.1e}" if abs(value) < 1e300 else "∞" if value > 0 else "-∞"
    digits = 3 - int(np.floor(np.log10(abs(value)))) if value else 0
    return f"{value:,.{min(max(digits, 0), 4)}f}"


def signed(value: float, *, counted: bool = False) -> str:
    """Write a difference with its sign and three significant digits, one of counts with its SI prefix."""
    if counted:
        return f"{'-' if value < 0 else '+'}{large(abs(value))}" if value else ""
    text = f"{value:+.3g}"
    return text if "e" not in text else f"{value:+,.0f}" if abs(value) >= 1 else f"{value:+.1g}"


def large(value: float) -> str:
    """Write a count with its SI prefix: 2032585 is 2.03 M."""
    if np.isnan(value):
        return "-"
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * factor:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.0f}"


def markdown_escaped(text: str) -> str:
    """Escape what Markdown would take for markup."""
    return re.sub(r"([\\`*<>|])", r"\\\1", text)


def without_password(uri: str) -> str:
    """Leave out the user and password of an address."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri


def _png(picture: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
