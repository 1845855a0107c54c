"""Hostile surroundings and inputs, tried with real commands: nothing crashes, is lost, or is executed.

Writes the table of docs/robustness.md, and fails where a row does. With words as arguments, only scenarios that hold
one of them are tried, and nothing is written.

    python benchmarks/robustness.py [WORD ...]
"""

import importlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.frame import GROUPS, QUICK, SCENARIOS, Fault, Impossible, Place, Scenario, finished
from side_by_side import ROOT, renewed
from surroundings import versions

PAGE = ROOT / "docs" / "robustness.md"
BEGIN, END = "<!-- rows: written by benchmarks/robustness.py -->", "<!-- end of rows -->"
MODULES = ("photographs", "archives", "names", "stores", "models", "surroundings")
SAME = "the earlier result is the same"
LONGEST = 240


@dataclass(frozen=True)
class Row:
    """What came of a scenario; `fault` is empty where all is as it should be."""

    scenario: Scenario
    codes: str
    message: str
    afterwards: str
    fault: str = ""


def attempt(each: Scenario, home: Path, template: Path) -> Row:
    """Try a scenario in a new copy of the folder with a finished result."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home)
    place, expected = Place(home), finished(template)
    fault, left = "", ""
    try:
        left = each.act(place) or ""
    except Impossible as error:
        return Row(each, "", "", f"not tried: {error}")
    except (Fault, OSError, subprocess.SubprocessError) as error:
        fault = str(error) or repr(error)
    if place.canary.exists():
        fault = f"hostile code has run. {fault}"
    try:
        same = finished(home) == expected
    except (OSError, ValueError, sqlite3.Error) as error:
        same, fault = False, f"{error}. {fault}"
    if not same:
        fault = f"the result that was finished before is not the same any more. {fault}"
    codes = ", ".join(str(ended.code) for ended in place.ended)
    messages = [ended.line for ended in place.ended if ended.line]
    return Row(each, codes, messages[0] if messages else "", "; ".join(filter(None, [left, SAME])), fault)


def make_template(home: Path, template: Path) -> None:
    """Train the study `before`, model and all, where scenarios happen: artifacts have whole addresses."""
    home.mkdir()
    Place(home).run("ablate.run", *QUICK, "study.name=before", "seed=9", "tracking.model=true")
    shutil.copytree(home, template)


def code(text: str) -> str:
    """Return a line of output as a cell of a Markdown table shows it as it is."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    return f"`` {text.replace('|', chr(92) + '|')} ``" if text else ""


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown, a table a group."""
    tried = [row for row in rows if row.codes]
    failed = [row for row in rows if row.fault]
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines = [f"{len(tried)} of {len(rows)} could be tried; {len(failed)} failed. {packages}."]
    for group in GROUPS:
        lines += ["", f"### {group.capitalize()}", "", "| tried | exit code | says | afterwards |", "| --- " * 4 + "|"]
        for row in rows:
            if row.scenario.group == group:
                afterwards = f"**failed**: {code(' '.join(row.fault.split()))}" if row.fault else row.afterwards
                lines.append(f"| {row.scenario.tried} | {row.codes} | {code(row.message)} | {afterwards} |")
    return "\n".join(lines)


def main() -> None:
    """Try all scenarios, or those that are named, and write what came of them."""
    for module in MODULES:
        importlib.import_module(f"scenarios.{module}")
    words = sys.argv[1:]
    chosen = [each for each in SCENARIOS if not words or any(word in f"{each.group} {each.tried}" for word in words)]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        home, template = Path(name) / "home", Path(name) / "template"
        make_template(home, template)
        for each in chosen:
            row = attempt(each, home, template)
            rows.append(row)
            print(f"{each.group}: {each.tried}: exit {row.codes or '-'}; {row.message}; {row.afterwards}", flush=True)
            if row.fault:
                print(f"FAILED: {row.fault}", flush=True)
    if not words:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), table(rows), BEGIN, END), encoding="utf-8")
    failed = sum(bool(row.fault) for row in rows)
    print(f"{len(rows)} scenarios, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
