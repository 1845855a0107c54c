"""`python -m ablate.turing analyse --plan`: the number of participants that finds a difference."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import numpy as np

from ablate.cli.arguments import parse_float, parse_int
from ablate.errors import ConfigError, DataError
from ablate.report.number_format import magnitude, quantity
from ablate.statistics.power import POWER
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.analyse.photograph_warning import photograph_warning
from ablate.turing.analyse.power import (
    Components,
    assumed_components,
    participants_needed,
    photograph_limit,
    variance_components,
)
from ablate.turing.analyse.rates import CHANCE
from ablate.turing.database import Answers, Database, default_database, experiment_names, read_answers
from ablate.turing.protocol import Design

COUNTS = {"trials": 40, "photographs": 200, "algorithms": 2}
DEVIATIONS = {"participants_sd": "participants", "photographs_sd": "photographs", "answers_sd": "answers"}
COMPONENTS = {"rate": "rate", **DEVIATIONS}
"""By argument, the field of `Components`."""
ASSUMED = "assumed"
ARGUMENTS = ("difference", "design", "points", "experiment", "database", *COUNTS, *COMPONENTS)


def plan(arguments: Mapping[str, str]) -> list[str]:
    """Return how many participants find a difference, in lines.

    Args:
        arguments: Of the command, by name.

    Raises:
        ConfigError: One is missing or impossible, or there are too few photographs.
        DataError: There is no such experiment.
    """
    difference = parse_float(arguments, "difference", np.nan)
    if np.isnan(difference):
        raise ConfigError("--plan needs a difference in percentage points, as in difference=5")
    counts, design, points = dict(COUNTS), _design(arguments), parse_int(arguments, "points", 7, minimum=2)
    components, source = assumed_components(design or "between"), ASSUMED
    if {"experiment", "database"}.intersection(arguments):
        answers = chosen_answers(arguments)
        if design not in (None, answers.protocol.design):
            raise ConfigError(
                f"design={design}: the answers to {answers.experiment} are of design={answers.protocol.design}, and "
                "do not say what makes those of another vary"
            )
        design, points = answers.protocol.design, answers.protocol.points
        counts, components = pilot(answers)
        source = f"estimated from the answers to {answers.experiment}"
    design = design or "between"
    counts |= {name: parse_int(arguments, name, counts[name]) for name in COUNTS}
    for name in ("answers_sd", "points"):
        if name in arguments and design != "rating":
            raise ConfigError(f"{name}= is for design=rating")
    # Percentage points, or percent of the scale's range, of which points of the scale are a part.
    unit = 100 / (points - 1) if design == "rating" else 1.0
    given = {
        field: parse_float(arguments, name, np.nan) * (1 if name == "rate" else unit)
        for name, field in COMPONENTS.items()
        if name in arguments
    }
    components = replace(components, **given)
    if design in ("preference", "rating") and "rate" in arguments:
        raise ConfigError(
            "rate= is for designs against the real picture: a preference differs from 50 %, and ratings have a mean"
        )
    if design in ("preference", "rating"):  # whatever a pilot's was
        components = replace(components, rate=CHANCE)
    if source != ASSUMED:
        _check_pilot(components, design, source)
    algorithms = counts["algorithms"]
    if algorithms < 2:
        raise ConfigError(f"algorithms must be at least 2. Received: algorithms={algorithms}")
    pairs = algorithms * (algorithms - 1) // 2
    needed = participants_needed(
        difference * unit,
        trials=counts["trials"],
        photographs=counts["photographs"],
        components=components,
        comparisons=pairs,
        design=design,
        algorithms=algorithms,
        unit=unit,
    )
    assumed = f"{source} where not given"
    limit = photograph_limit(counts["photographs"], components=components, comparisons=pairs, design=design)
    warning = photograph_warning(
        counts["photographs"], components, design=design, algorithms=algorithms, source=assumed, points=points
    )
    of_scale = f" of {points}" if design == "rating" else ""
    return [
        _answer(difference, needed, algorithms, design, of_scale),
        f"With {algorithms} algorithms ({quantity(pairs, 'comparison')}), {counts['photographs']:,} photographs and "
        f"{quantity(counts['trials'], 'trial')} a participant that count",
        _components(components, design, assumed, unit),
        f"However many people take part, that many photographs let no difference below {magnitude(limit / unit)} "
        f"points{of_scale} be found so often",
        *([] if warning is None else [f"Warning: {warning}"]),
    ]


def _design(arguments: Mapping[str, str]) -> Design | None:
    """Return the design that is named."""
    found = arguments.get("design")
    designs: dict[str, Design] = {design: design for design in get_args(Design)}
    if found is not None and found not in designs:
        raise ConfigError(f"design must be one of {', '.join(designs)}. Received: design={found}")
    return None if found is None else designs[found]


def _check_pilot(components: Components, design: Design, source: str) -> None:
    """Refuse to plan with answers that are all the same, which say nothing of how later ones vary.

    Raises:
        ConfigError: It says what has to be given.
    """
    if design in ("between", "within") and components.rate in (0.0, 100.0):
        raise ConfigError(
            f"{source}, the rate is {components.rate:g} %, where nothing varies: say what you expect, as in rate=5"
        )
    if design == "rating" and components.answers == 0.0:
        raise ConfigError(
            f"{source}, all ratings of an algorithm are the same: say how much they will vary, as in answers_sd=1"
        )


def _answer(difference: float, needed: int, algorithms: int, design: Design, of_scale: str) -> str:
    share = f"{100 * POWER:.0f} % of such experiments find"
    if design == "preference":
        return f"{needed:,} participants: {share} that one of two is preferred in {CHANCE + difference:g} % of pairs"
    found = f"{share} a difference of {difference:g} points{of_scale}"
    if design == "rating":
        return f"{needed:,} participants, who rate all algorithms: {found}"
    if design == "within":
        return f"{needed:,} participants, who judge all algorithms: {found}"
    return f"{needed:,} participants an algorithm, {needed * algorithms:,} in all: {found}"


def _components(components: Components, design: Design, assumed: str, unit: float) -> str:
    people, photographs = components.participants / unit, components.photographs / unit
    deviations = f"{people:.3g} points over participants and {photographs:.3g} over photographs"
    if design == "preference":
        return f"Standard deviations of a preference between two of {deviations}; {assumed}"
    if design == "rating":
        answers = (components.answers or 0.0) / unit
        return f"Standard deviations of {answers:.3g} points of single ratings, and of {deviations}; {assumed}"
    alone = " with an algorithm" if design == "between" else ", each with an algorithm"
    return f"A rate of {components.rate:.3g} %, and standard deviations of {deviations}{alone}; {assumed}"


def pilot(answers: Answers) -> tuple[dict[str, int], Components]:
    """Return the counts of an experiment, and what its answers say of variances; defaults where they say nothing."""
    kept, _ = apply_rules(answers.participants, answers.trials, answers.protocol)
    if kept.empty:
        raise DataError(f"experiment {answers.experiment} has no answers that count: nothing to estimate from")
    protocol = answers.protocol
    found, assumed = variance_components(kept, protocol.design, protocol.points), assumed_components(protocol.design)
    known = {name: value for name, value in vars(found).items() if value is not None and not np.isnan(value)}
    counts = {
        "trials": answers.protocol.test,
        # Of those in the bundle, all but a few were seen by someone.
        "photographs": int(answers.trials["photograph"].nunique()),
        "algorithms": max(2, len(answers.algorithms) + answers.protocol.with_real),
    }
    return counts, replace(assumed, **known)


def chosen_answers(arguments: Mapping[str, str], *, personal: bool = False) -> Answers:
    """Read the answers of the experiment that is named, or the only one there is.

    Args:
        arguments: Of the command, by name.
        personal: See `read_answers`.

    Raises:
        ConfigError: None is named, and there are several.
        DataError: There is none, or none of that name.
    """
    database = Database(arguments.get("database") or default_database(), create=False)
    name = arguments.get("experiment")
    if name is None:
        names = experiment_names(database)
        if not names:
            raise DataError(f"{database.name} has no experiment yet: `python -m ablate.turing serve` adds one")
        if len(names) > 1:
            raise ConfigError(f"{database.name} has several experiments; experiment= takes one of {', '.join(names)}")
        name = names[0]
    return read_answers(database, name, personal=personal)
