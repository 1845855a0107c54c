"""Findings of an examination: what is well, what is worth to know, and what hinders runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """What a finding means for runs."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """Something that was found.

    Attributes:
        mark: What it means: a note is right for some, or slows runs down; a problem hinders them.
        text: What was found.
        advice: What to do; empty where there is nothing to do.
    """

    mark: Mark
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Group:
    """The findings of one subject."""

    title: str
    findings: Sequence[Finding]


def ok(text: str) -> Finding:
    """Return a finding that is well."""
    return Finding(Mark.OK, text)


def note(text: str, advice: str = "") -> Finding:
    """Return a finding that is worth to know."""
    return Finding(Mark.NOTE, text, advice)


def problem(text: str, advice: str) -> Finding:
    """Return a finding that hinders runs."""
    return Finding(Mark.PROBLEM, text, advice)


def counted(groups: Sequence[Group], mark: Mark) -> int:
    """Return the number of findings with a mark."""
    return sum(finding.mark == mark for group in groups for finding in group.findings)


def format_group(group: Group) -> str:
    """Return a group as it is printed: its title, a line for each finding, and one below for what to do."""
    lines = [group.title]
    for finding in group.findings:
        lines += [f"  {finding.mark:8} {finding.text}", *([f"{'':11}-> {finding.advice}"] if finding.advice else [])]
    return "\n".join(lines)


def format_end(groups: Sequence[Group]) -> str:
    """Return the last line: how many problems and notes there are."""
    numbers = ((counted(groups, mark), mark.value) for mark in (Mark.PROBLEM, Mark.NOTE))
    return ", ".join(f"{number or 'no'} {name}{'s' * (number != 1)}" for number, name in numbers)


def plain(groups: Sequence[Group]) -> dict[str, Any]:
    """Return all of it as plain values, for programs."""
    return {
        "problems": counted(groups, Mark.PROBLEM),
        "notes": counted(groups, Mark.NOTE),
        "groups": [asdict(group) for group in groups],
    }
