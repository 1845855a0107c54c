"""A report in MLflow: its files, and in short the description of its study."""

from collections.abc import Sequence
from pathlib import Path

from ablate.report.escaping import markdown_escaped
from ablate.report.report import Report
from ablate.report.tables import Cell, Table
from ablate.tracking.overview import record_summary
from ablate.tracking.study_artifacts import log_study_artifacts

_MOST = 2500
"""Characters of the table: MLflow takes 5,000 in a description."""
_FIGURE = "differences"


def track_report(report: Report, folder: Path, files: Sequence[Path]) -> None:
    """Write a report to the open store: its files, and what it says to the study's description.

    Args:
        report: The report.
        folder: Where its files are.
        files: They, see `render.write`.

    Raises:
        TrackingError: The store does not take them; the files stay.
    """
    study = report.results.study
    record_summary(study, overview(report, log_study_artifacts(study, "report", folder, files)))


def overview(report: Report, run_id: str) -> str:
    """Return the report's answer, its first table and its first figure, in Markdown.

    Args:
        report: The report.
        run_id: The run in MLflow that holds its files.
    """
    experiment = report.results.experiment_id
    page = f"#/experiments/{experiment}/runs/{run_id}/artifacts"
    answer = " ".join(report.answer)
    newest = f"{report.results.runs['started'].max():%Y-%m-%d %H:%M} UTC"
    parts = [
        f"**Report** on {len(report.results.runs)} runs, the newest of {newest} ([page and tables]({page})): "
        f"{markdown_escaped(answer if len(answer) < 800 else f'{answer[:800]} ...')}",
        _table(report.tables["primary"]),
    ]
    if _FIGURE in report.figures:
        # The address that MLflow's own pages give for an artifact.
        picture = f"get-artifact?path=report/figures/{_FIGURE}.png&run_uuid={run_id}"
        parts.append(f"![{markdown_escaped(report.figures[_FIGURE].title)}]({picture})")
    return "\n\n".join(parts)


def _table(table: Table) -> str:
    lines = [_line([markdown_escaped(heading) for heading in table.headings]), _line(["---"] * len(table.headings))]
    for row in table.rows:
        line = _line([_cell(cell) for cell in row])
        if sum(map(len, lines)) + len(line) > _MOST:
            break
        lines.append(line)
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = markdown_escaped(cell.text) + (f" ({markdown_escaped(cell.detail)})" if cell.detail else "")
    return f"**{text}**" if cell.strong else text
