"""Measurements side by side in one run, and their results as JSON: what the benchmarks share.

Example:
    >>> times = interleaved({"ablate": encode, "brute force": encode_slowly})
    >>> row = faster(
    ...     times, "ablate", "brute force", amount=131072, sides_unit="pixels/s", letter="f",
    ...     compared="soft encoding against all 313 classes", configuration="32x64x64 pixels", target=">= 5",
    ... )
    >>> write("encoding", [row])
"""

import json
import operator
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from surroundings import command, machine, versions

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NOT_INSTALLED = "not installed"

Times = dict[str, list[float]]


class Seconds(float):
    """What a way returns that measures its own time, such as one that runs in another process."""


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        letter: Which group of comparisons it belongs to; the table is sorted by it.
        compared: What is compared with what.
        configuration: At which size, such as "64x64, batch 32, width 0.25".
        figure: The result; None where there is none, and `note` says why.
        unit: Of the figure: "x", "MiB", "% of a run", ...
        target: What the figure should be, ">= 0.90" or "<= 1"; empty where it is for information.
        spread: Least and greatest figure of a round.
        sides: The absolute figures, by way: {"ablate": 104.2, "bare network": 110.0}.
        sides_unit: Of `sides`: "images/s", "MiB", ...
        note: What a reader must know: `NOT_INSTALLED`, what is scaled from a smaller measurement, ...
    """

    letter: str
    compared: str
    configuration: str
    figure: float | None
    unit: str
    target: str = ""
    spread: tuple[float, float] | None = None
    sides: Mapping[str, float] = field(default_factory=dict)
    sides_unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is no target or no figure."""
        if not self.target or self.figure is None:
            return None
        sign, _, bound = self.target.partition(" ")
        return bool({">=": operator.ge, "<=": operator.le}[sign](self.figure, float(bound)))

    def __str__(self) -> str:
        figure = self.note if self.figure is None else f"{number(self.figure)} {self.unit}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return f"{self.letter}  {self.compared}; {self.configuration}: {figure}  {self.target} {verdict}".rstrip()


def interleaved(ways: Mapping[str, Callable[[], object]], repetitions: int = 7, *, warm_up: int = 1) -> Times:
    """Call every way in turn, A B C A B C .., and return the seconds of each call by way.

    Args:
        ways: What is compared, by name: each is a call that ends when its work is done. One that returns `Seconds` is
            taken at its word.
        repetitions: Rounds that count.
        warm_up: Rounds before them that do not.
    """
    times: Times = {name: [] for name in ways}
    for turn in range(-warm_up, repetitions):
        for name, way in ways.items():
            begun = time.perf_counter()
            result = way()
            taken = float(result) if isinstance(result, Seconds) else time.perf_counter() - begun
            if turn >= 0:
                times[name].append(taken)
    return times


def faster(
    times: Times, way: str, other: str, *, amount: float | Mapping[str, float], sides_unit: str, **row: Any
) -> Row:
    """Return the row that says how many times as fast as the other a way is: the median of the rounds' ratios.

    Args:
        times: From `interleaved`.
        way: The way that is hoped to be fast.
        other: What it is compared with.
        amount: What one call does, in all ways or by way: images, pixels, FLOPs.
        sides_unit: Unit of amount / seconds, whose medians become `sides`.
        **row: `letter`, `compared`, `configuration`, and perhaps `target`, `note` and `unit`, see `Row`.
    """
    done = amount if isinstance(amount, Mapping) else {way: amount, other: amount}
    rates = {name: [done[name] / taken for taken in times[name]] for name in (way, other)}
    found = [rate / others for rate, others in zip(rates[way], rates[other], strict=True)]
    return Row(
        **{"unit": "x", **row},
        figure=statistics.median(found),
        spread=(min(found), max(found)),
        sides={name: statistics.median(each) for name, each in rates.items()},
        sides_unit=sides_unit,
    )


def missing(note: str = NOT_INSTALLED, **row: Any) -> Row:
    """Return the row of a comparison that cannot be made here; `row` as in `faster`."""
    return Row(**{"unit": "", **row}, figure=None, note=note)


def number(value: float) -> str:
    """Show a figure with three digits at least, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(name: str, rows: Sequence[Row], **facts: object) -> Path:
    """Write rows to results/NAME.json with machine, versions and command, print them, and return the file.

    Args:
        name: The benchmark's.
        rows: Its rows.
        **facts: What else belongs to the results, such as `data="800 photographs of ImageNet"`.
    """
    content = {"command": command(), "machine": machine(), "versions": versions(), **facts}
    content["rows"] = [{**asdict(row), "met": row.met} for row in rows]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in rows:
        print(row, flush=True)
    return path


def read(path: Path) -> tuple[dict[str, Any], list[Row]]:
    """Read what `write` wrote: everything but the rows, and the rows."""
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for row in content.pop("rows"):
        del row["met"]
        rows.append(Row(**{**row, "spread": row["spread"] and tuple(row["spread"])}))
    return content, rows


def renewed(page: str, content: str, begin: str, end: str) -> str:
    """Return a page with what stands between two markers replaced.

    Raises:
        ValueError: The page does not have each marker once, in order.
    """
    before, begins, rest = page.partition(begin)
    _, ends, after = rest.partition(end)
    if not begins or not ends or begin in rest or end in before + after:
        raise ValueError(f"the page must hold {begin} and then {end}, once each")
    return f"{before}{begin}\n{content}\n{end}{after}"
