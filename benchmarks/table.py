"""Write the results of the benchmarks, results/*.json, as a table into docs/performance.md.

Only what stands between the two marker comments is replaced; the text around it is kept.

    python benchmarks/table.py
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from side_by_side import RESULTS, ROOT, Row, number, read, renewed

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- results: written by benchmarks/table.py -->", "<!-- end of results -->"
HEADER = ("", "compared", "at", "result", "spread", "target", "absolute")


def verdict(row: Row) -> str:
    """Say what the target was and whether it is met; a missed one stands out."""
    if row.met is None:
        return row.target
    return f"{row.target}: {'met' if row.met else '**missed**'}"


def cells(row: Row) -> tuple[str, ...]:
    """Return what the table says of one comparison."""
    result, spread = row.note, ""
    if row.figure is not None:
        result = f"{number(row.figure)} {row.unit}"
        result = f"**{result}**" if row.met else result
    if row.spread is not None:
        spread = " to ".join(map(number, row.spread))
    absolute = ", ".join(f"{name} {number(value)}" for name, value in row.sides.items())
    absolute = f"{absolute} {row.sides_unit}".strip()
    if row.note and row.figure is not None:
        absolute = f"{absolute} ({row.note})" if absolute else row.note
    return row.letter, row.compared, row.configuration, result, spread, verdict(row), absolute


def described(name: str, facts: dict[str, Any]) -> str:
    """Return the line that says where and how one benchmark ran."""
    machine, versions = facts["machine"], facts["versions"]
    avx512 = {True: "with AVX512", False: "without AVX512", None: "AVX512 unknown"}[machine["avx512"]]
    packages = ", ".join(f"{package} {version}" for package, version in versions.items())
    others = [f"{key}: {value}" for key, value in facts.items() if key not in ("command", "machine", "versions")]
    parts = [f"{machine['cpu']}, {machine['cores']} cores, {avx512}", packages, *others]
    return f"- {name}: `{facts['command']}`; {'; '.join(parts)}"


def table(found: dict[str, tuple[dict[str, Any], Sequence[Row]]]) -> str:
    """Return the table of all results, sorted by letter, and where each comes from; as Markdown.

    Args:
        found: What `side_by_side.read` returns, by the benchmark's name.
    """
    rows = sorted((row for _, each in found.values() for row in each), key=lambda row: row.letter)
    judged = [row for row in rows if row.met is not None]
    lines = [f"{sum(bool(row.met) for row in judged)} of {len(judged)} targets are met.", ""]
    lines += [f"| {' | '.join(HEADER)} |", "|" + " --- |" * len(HEADER)]
    lines += [f"| {' | '.join(cells(row))} |" for row in rows]
    lines += ["", "Measured:", "", *(described(name, facts) for name, (facts, _) in sorted(found.items()))]
    return "\n".join(lines)


def results() -> dict[str, tuple[dict[str, Any], Sequence[Row]]]:
    """Return the results that there are, by the benchmark's name."""
    return {path.stem: read(path) for path in sorted(Path(RESULTS).glob("*.json"))}


def main() -> None:
    """Write the table."""
    found = results()
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), table(found), BEGIN, END), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {sum(len(rows) for _, rows in found.values())} rows of {len(found)} benchmarks")


if __name__ == "__main__":
    main()
