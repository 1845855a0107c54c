"""Sections that installed packages add to the report, found as entry points of the group `ablate.report_sections`.

An entry point names a function of `Results` and `Links` that returns the sections, none where a study has nothing for
them. `ablate.turing` adds its own this way; another package does so in its pyproject.toml:

    [project.entry-points."ablate.report_sections"]
    energy = "my_package.energy:sections"
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from ablate.report.figures import Figure
from ablate.report.links import Links
from ablate.report.results import Results
from ablate.report.tables import Table

log = logging.getLogger(__name__)

GROUP = "ablate.report_sections"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of a report.

    Attributes:
        title: Its heading.
        tables: What it shows first.
        figures: Below them, in this order; their names are those of no other figure of the report.
        summary: The same for programs, plain values without NaN: `summary.json` has them below `sections` in a list
            under the name of the entry point.
    """

    title: str
    tables: Sequence[Table]
    figures: Sequence[Figure]
    summary: Mapping[str, Any]


def added_sections(results: Results, links: Links) -> tuple[dict[str, list[Section]], list[str]]:
    """Return the sections that installed packages add, by the name of their entry point; and why others are missing.

    One that fails, in whatever way, costs the report that section alone.
    """
    sections, failed = dict[str, list[Section]](), list[str]()
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            sections[entry.name] = list(entry.load()(results, links))
        except Exception as error:  # whatever a package of others raises
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            failed.append(f"The section {entry.name} is missing: {reason}")
            log.warning("%s", failed[-1], exc_info=log.isEnabledFor(logging.DEBUG))
    return sections, failed
