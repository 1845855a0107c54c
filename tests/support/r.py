"""Exports as R reads them by the lines of their README, in the locale that knows no letters but ASCII's."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ablate.turing.database import Answers
from ablate.turing.export.columns import Column
from ablate.turing.export.own_columns import tables_of
from ablate.turing.export.tables import tables

needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R and its package jsonlite are not installed")
_KINDS = {
    "string": "character", "integer": "integer", "number": "numeric", "boolean": "logical", "datetime": "POSIXct",
}  # fmt: skip
_WRITE = r"""
values <- function(column) {
  text <- if (is.numeric(column)) sprintf("%.17g", column)
    else if (inherits(column, "POSIXct")) format(column, "%Y-%m-%dT%H:%M:%S") else enc2utf8(as.character(column))
  list(kind = class(column)[[1]], text = ifelse(is.na(column), NA, text))
}
file <- file("read_by_r.json", "wb")
writeLines(jsonlite::toJSON(lapply(tables, lapply, values), na = "null"), file, useBytes = TRUE)
"""


def check_read_by_r(folder: Path, answers: Answers) -> None:
    """Fail where R reads a cell of an export, or its type, as anything else than what it is."""
    (script,) = re.findall(r"```r\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    command = ["Rscript", "--vanilla", "-e", "options(warn = 2)\n" + script + _WRITE]
    subprocess.run(command, check=True, cwd=folder, env={**os.environ, "LC_ALL": "C"})
    read = json.loads((folder / "read_by_r.json").read_text(encoding="utf-8"))
    expected = tables(answers)
    for name, columns in tables_of(answers).items():
        assert list(read[name]) == [column.name for column in columns]
        for column in columns:
            found = read[name][column.name]
            assert found["kind"] in ([_KINDS[column.type]], ["factor"]), column.name
            assert found["text"] == [_text(value, column) for value in expected[name][column.name]], column.name


def _text(value: Any, column: Column) -> str | None:
    if pd.isna(value):
        return None
    if column.type == "datetime":
        return str(value.strftime("%Y-%m-%dT%H:%M:%S"))
    if column.type in ("integer", "number"):
        return f"{value:.17g}"
    return str(value).upper() if column.type == "boolean" else str(value)
