"""Counts the lines that a user writes for the digits study with each tool, and writes docs/comparison.md.

The study: four factors, each level alone beside the baseline, three seeds, a table with the spread over seeds. Lines
of Python, YAML, TOML and shell are counted, without blank lines, comments, docstrings and tests. `table.txt` in each
folder is what it printed.

    python benchmarks/lines/count.py
"""

import ast
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "comparison.md"
TOOLS = {
    "ablate": ROOT / "examples" / "digits",
    "Hydra with MLflow": HERE / "hydra_mlflow",
    "Optuna": HERE / "optuna_trials",
    "one script": HERE / "script",
}
OTHER_STUDIES = ("experiments/looks.yaml", "experiments/optimizers.yaml")
"""Of the example, beside the study that is compared."""
SAYS = {
    "spread over seeds": ("yes", "yes, by hand", "yes, by hand", "yes, by hand"),
    "difference from the baseline, paired by seed and example": ("yes", "no", "no", "no"),
    "intervals": ("over seeds and examples", "no", "no", "no"),
    "intervals and p-values for all variants at once": ("yes", "no", "no", "no"),
    "cost beside it": ("parameters, FLOPs, time, memory", "no", "no", "no"),
    "the same command again": (
        "trains what is missing",
        "trains all again, and the table counts both",
        "trains what is missing",
        "trains all again",
    ),
    "after `kill -9`": (
        "resumes at the last checkpoint, to the same bits",
        "the run stays RUNNING; by hand",
        "finished trials are kept; the killed one stays RUNNING and is not repeated",
        "all is lost",
    ),
    "changed code or data": ("trained again", "not noticed", "not noticed", "nothing is kept"),
}
"""What the page's table says of each tool, in the order of `TOOLS`; seen in its documentation and by running it."""
INTRODUCTION = """# Lines that a user writes

The same study written as the documentation of each tool recommends: the digits of scikit-learn, a small network in
Keras, four factors, each level alone beside the baseline, three seeds, and a table with the spread over seeds.
The programs are in [benchmarks/lines](../benchmarks/lines) and [examples/digits](../examples/digits). Lines are
counted without blank lines, comments, docstrings and tests. `python benchmarks/lines/count.py` writes this page.

`ablate` augments in NumPy, the others by a layer of Keras; initial values differ. Each number is that of its own runs.
"""


def lines_of(path: Path) -> int:
    """Return the number of lines of a file that are code."""
    lines = path.read_text(encoding="utf-8").splitlines()
    left_out = _docstrings("\n".join(lines)) if path.suffix == ".py" else set[int]()
    code = (line.strip() for number, line in enumerate(lines, 1) if number not in left_out)
    return sum(bool(line) and not line.startswith("#") for line in code)


def _docstrings(code: str) -> set[int]:
    found = set[int]()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            found.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return found


def counted(folder: Path) -> dict[str, int]:
    """Return the lines of the files that a user writes, by suffix."""
    counts = dict[str, int]()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        own = not place.startswith(("results", "test_")) and place not in OTHER_STUDIES
        if own and path.suffix in (".py", ".yaml", ".toml", ".sh"):
            counts[path.suffix] = counts.get(path.suffix, 0) + lines_of(path)
    return counts


def page() -> str:
    """Return the page."""
    counts = [counted(folder) for folder in TOOLS.values()]
    python = [count.get(".py", 0) for count in counts]
    rows = [
        ("lines", *(str(sum(count.values())) for count in counts)),
        ("of these Python", *map(str, python)),
        *((what, *of_tools) for what, of_tools in SAYS.items()),
    ]
    table = ["| | " + " | ".join(TOOLS) + " |", "| --- |" + " --- |" * len(TOOLS)]
    table += ["| " + " | ".join(row) + " |" for row in rows]
    shown = [
        f"## The table of {name}\n\n```\n{(folder / 'table.txt').read_text(encoding='utf-8').rstrip()}\n```\n"
        for name, folder in {**TOOLS, "ablate": HERE / "ablate"}.items()
    ]
    return "\n".join([INTRODUCTION, *table, "", *shown])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
