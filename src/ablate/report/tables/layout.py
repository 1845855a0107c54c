"""The layout of the table for papers: which columns, and which variants and trivial baselines, in which order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ablate.config.schema import unknown_level
from ablate.errors import ConfigError
from ablate.report.results import Results


@dataclass(frozen=True)
class Layout:
    """What was asked for, as `columns=` and `rows=` have it; empty for all.

    Attributes:
        columns: Names of columns with commas between, see `Columns.of`.
        rows: Names of variants and trivial baselines with semicolons between, or commas where no name has one.
    """

    columns: str = ""
    rows: str = ""

    @property
    def column_names(self) -> list[str]:
        """The names of columns, in order.

        Raises:
            ConfigError: One comes twice.
        """
        return _once("columns", [name.strip() for name in self.columns.split(",")]) if self.columns else []


WHOLE = Layout()


@dataclass(frozen=True)
class Rows:
    """The rows of a table, in order.

    Attributes:
        variants: The variants.
        references: The trivial baselines, which stand below them.
    """

    variants: Sequence[str]
    references: Sequence[str]


def all_rows(results: Results) -> Rows:
    """Return every variant, those without runs last, and every trivial baseline."""
    without_runs = [gap.variant for gap in results.gaps if gap.variant not in results.variants]
    return Rows(
        [*results.variants, *dict.fromkeys(without_runs)], list(map(str, results.references["reference"].unique()))
    )


def chosen_rows(rows: str, results: Results) -> Rows:
    """Return the rows that a layout names.

    Raises:
        ConfigError: One is unknown, comes twice, or may mean two things; or none is a variant.
    """
    every = all_rows(results)
    if not rows:
        return every
    known = {_plain(results.names.get(name, name)): name for name in every.variants}
    known |= {_plain(name): name for name in (*every.variants, *every.references)}
    chosen = _once("rows", [known.get(name, name) for name in _split(rows, known)])
    for name in chosen:
        if name not in known.values():
            raise ConfigError(unknown_level("rows", name, [*every.variants, *every.references]))
    found = Rows(
        [name for name in chosen if name in every.variants], [name for name in chosen if name in every.references]
    )
    if not found.variants:
        raise ConfigError(f"rows={rows} names no variant; it must name one of {'; '.join(every.variants)}")
    return found


def _split(rows: str, known: Mapping[str, str]) -> list[str]:
    """Split at semicolons, or at commas where there are none, and the whole is no name.

    Raises:
        ConfigError: With commas it may be one name, and several.
    """
    by_semicolon = [_plain(name) for name in rows.split(";") if name.strip()]
    if ";" in rows:
        return by_semicolon
    parts = [_plain(name) for name in rows.split(",")]
    if _plain(rows) not in known:
        return parts
    if len(parts) > 1 and all(part in known for part in parts):
        raise ConfigError(
            f"rows={rows} may mean one variant or {len(parts)}: write `{rows};` for the one, "
            f"`{';'.join(parts)}` for the others"
        )
    return [_plain(rows)]


def _plain(name: str) -> str:
    """Return a name without the blanks after its commas."""
    return re.sub(r",\s+", ",", name.strip())


def _once(option: str, names: Iterable[str]) -> list[str]:
    given = list(names)
    for place, name in enumerate(given):
        if name in given[:place]:
            raise ConfigError(f"{option}= names {name or 'nothing'} twice")
    return given
