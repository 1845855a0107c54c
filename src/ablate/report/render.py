"""Rendering of a report: one HTML page, Markdown, LaTeX, frames for programs, and the figures."""

import base64
import io
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from ablate.errors import AblateError
from ablate.report.escaping import breakable, latex_escaped, markdown_escaped, without_controls
from ablate.report.nouns import capitalized, plural
from ablate.report.report import Report
from ablate.report.summary import summary
from ablate.system.atomic_write import atomic_write

PAGE = "report.html"
IMAGE_TYPES = {"png": "image/png", "jpg": "image/jpeg"}


def write(report: Report, folder: Path) -> list[Path]:
    """Write a report's files; each replaces an older one of its name at once.

    Args:
        report: What it says.
        folder: Where they go; it is made.

    Returns:
        The files: report.html, which holds all that it shows; report.md and report.tex with figures/; checklist.md;
        comparison.csv, comparison.parquet, runs.csv and, where examples have values of their own, scores.parquet (one
        row a variant, seed and example); summary.json.

    Raises:
        AblateError: The folder cannot be written.
    """
    files = {
        **{f"figures/{name}.{ending}": content for name, ending, content in _pictures(report)},
        "comparison.csv": _named(report, report.comparison).to_csv(index=False).encode(),
        "comparison.parquet": _parquet(_named(report, report.comparison)),
        **_scores(report),
        "runs.csv": _named(report, _runs(report)).to_csv().encode(),
        "summary.json": summary(report).encode(),
        "report.md": _rendered("report.md.j2", report).encode(),
        "checklist.md": _rendered("checklist.md.j2", report).encode(),
        "report.tex": _rendered("report.tex.j2", report).encode(),
        PAGE: _rendered("report.html.j2", report, images=_embedded(report)).encode(),
    }
    make_folder(folder)
    try:
        for name, content in files.items():
            with atomic_write(folder / name, durable=False) as file:
                file.write(content)
    except OSError as error:
        raise _not_written(folder, error) from None
    return [folder / name for name in files]


def make_folder(folder: Path) -> None:
    """Make the folder of a report, where it is not there yet.

    Raises:
        AblateError: It cannot be made.
    """
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(folder, error) from None


def _not_written(folder: Path, error: OSError) -> AblateError:
    return AblateError(f"the report cannot be written to {folder}: {error.strerror}")


def _pictures(report: Report) -> list[tuple[str, str, bytes]]:
    return [
        (figure.name, ending, content)
        for figure in report.figures.values()
        for ending, content in figure.files.items()
    ]


def _embedded(report: Report) -> dict[str, str]:
    return {
        name: f"data:{IMAGE_TYPES[figure.raster]};base64,{base64.b64encode(figure.files[figure.raster]).decode()}"
        for name, figure in report.figures.items()
    }


def _runs(report: Report) -> pd.DataFrame:
    """Return the runs with what they measured and cost."""
    results = report.results
    return results.runs.join(results.values.join(results.costs), on=["variant", "seed"])


def _scores(report: Report) -> dict[str, bytes]:
    scores = report.results.scores
    return {} if scores.empty else {"scores.parquet": _parquet(_named(report, scores.reset_index()))}


def _named(report: Report, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the whole names of variants."""
    return frame.assign(variant=[report.names.get(name, name) for name in frame["variant"]])


def _parquet(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


def _rendered(name: str, report: Report, **more: Any) -> str:
    latex = name.endswith(".tex.j2")  # which has braces of its own
    environment = Environment(
        loader=PackageLoader("ablate.report", "templates"),
        autoescape=name.endswith(".html.j2"),
        undefined=StrictUndefined,
        finalize=without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="<<" if latex else "{{",
        variable_end_string=">>" if latex else "}}",
    )
    environment.filters |= {
        "breakable": breakable,
        "md": markdown_escaped,
        "tex": latex_escaped,
        "plural": plural,
        "capitalized": capitalized,
    }
    return environment.get_template(name).render(report=report, results=report.results, **more)
