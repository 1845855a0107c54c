"""The installation: Python and packages against what `ablate` asks for. Imports nothing that may be missing."""

import platform
from collections import deque
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ablate import __version__
from ablate.doctor.finding import Finding, Group, note, ok, problem

PACKAGE = "ablate"


def examine_installation() -> Group:
    """Examine Python's version, and the versions of all packages that `ablate` needs, directly or not."""
    return Group("Installation", list(_findings()))


def _findings() -> Iterator[Finding]:
    python = platform.python_version()
    try:
        asked = metadata.metadata(PACKAGE)["Requires-Python"] or ""
        direct = requirements(PACKAGE)
    except metadata.PackageNotFoundError:
        yield problem(f"Python {python}; {PACKAGE} {__version__} is not installed", "pip install -e . in its checkout")
        return
    if SpecifierSet(asked).contains(python, prereleases=True):
        yield ok(f"Python {python}, {PACKAGE} {__version__}")
    else:
        yield problem(f"Python {python}: {PACKAGE} needs {asked}", "make an environment with such a Python")
    wrong = [(each, said) for each in direct if (said := unmet(each))]
    for each, said in wrong:
        yield problem(f"{said}: {PACKAGE} needs {each}", f"pip install '{each}'")
    if not wrong:
        yield ok(f"the {len(direct)} packages that it needs")
    for needing, each, said in _indirect(direct):
        yield note(f"{said}: {needing} needs {each}", f"pip install '{each}', if {needing} fails")


def requirements(package: str, extra: str = "") -> list[Requirement]:
    """Return what a package needs here, without and, where an extra is named, just with it.

    Raises:
        PackageNotFoundError: It is not installed.
    """
    found = [Requirement(line) for line in metadata.requires(package) or ()]
    always = {str(each) for each in found if each.marker is None or each.marker.evaluate({"extra": ""})}
    if not extra:
        return [_plain(each) for each in found if str(each) in always]
    return [
        _plain(each)
        for each in found
        if str(each) not in always and each.marker is not None and each.marker.evaluate({"extra": extra})
    ]


def unmet(requirement: Requirement) -> str:
    """Return what is wrong with the package that a requirement names; empty where nothing is."""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed"
    met = requirement.specifier.contains(version, prereleases=True)
    return "" if met else f"{requirement.name} {version} is installed"


def _plain(requirement: Requirement) -> Requirement:
    requirement.marker = None
    return requirement


def _indirect(direct: list[Requirement]) -> Iterator[tuple[str, Requirement, str]]:
    """Yield what the needed packages lack themselves: which one, what it needs, and what is wrong."""
    known = {canonicalize_name(each.name) for each in direct}
    waiting = deque(sorted(known))
    while waiting:
        package = waiting.popleft()
        try:
            needed = requirements(package)
        except metadata.PackageNotFoundError:
            continue  # said already
        for each in needed:
            said = unmet(each)
            if said:
                yield package, each, said
            name = canonicalize_name(each.name)
            if name not in known:
                known.add(name)
                waiting.append(name)
