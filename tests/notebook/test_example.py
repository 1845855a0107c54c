"""The notebook of examples/, run by a kernel of Jupyter."""

from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.ipynb"
SHORTER = {"epochs: 10": "epochs: 3", '"seed": [0, 1, 2]': '"seed": [0, 1]'}
"""What takes its time, and what a test is content with."""


def test_the_notebook_is_committed_without_what_it_showed() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8").replace('\\"', '"')
    assert all(text.count(written) == 1 for written in SHORTER)
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        for written, shorter in SHORTER.items():
            cell.source = cell.source.replace(written, shorter)
    place = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=500, kernel_name="python3", resources=place).execute()
    shown = {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert "4 runs: 4 to do" in _shown(shown, "ablate.plan(", "text/plain")
    assert "4 runs of 2 variants" in _shown(shown, "ablate.run(", "text/plain")
    assert "network.activation=linear" in _shown(shown, "study.compare()", "text/html")
    assert _shown(shown, 'study.figure("differences")', "image/png")
    assert "digits read right" in "".join(output.get("text", "") for output in _outputs(shown, "model.predict"))
    assert (tmp_path / "results" / "reports" / "digits" / "report.html").is_file()


def _outputs(shown: dict[str, list[Any]], part: str) -> list[Any]:
    return next(outputs for source, outputs in shown.items() if part in source)


def _shown(shown: dict[str, list[Any]], part: str, kind: str) -> str:
    return "".join(output.data.get(kind, "") for output in _outputs(shown, part) if "data" in output)
