"""`python -m ablate.turing analyse --plan`: the number of participants that finds a difference."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ablate.cli.arguments import parse_float, parse_int
from ablate.errors import ConfigError, DataError
from ablate.report.number_format import quantity
from ablate.statistics.power import POWER
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.analyse.power import Components, participants_needed, variance_components
from ablate.turing.database import Answers, Database, default_database, experiment_names, read_answers

COUNTS = {"trials": 40, "photographs": 200, "algorithms": 2}
COMPONENTS = {"rate": "rate", "participants_sd": "participants", "photographs_sd": "photographs"}
"""By argument, the field of `Components`."""
ARGUMENTS = ("difference", "experiment", "database", *COUNTS, *COMPONENTS)


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
    counts, components = dict(COUNTS), Components()
    source = "assumed"
    if {"experiment", "database"}.intersection(arguments):
        answers = chosen_answers(arguments)
        counts, components = pilot(answers)
        source = f"estimated from the answers to {answers.experiment}"
    counts |= {name: parse_int(arguments, name, counts[name]) for name in COUNTS}
    given = {field: parse_float(arguments, name, getattr(components, field)) for name, field in COMPONENTS.items()}
    components = replace(components, **given)
    algorithms = counts["algorithms"]
    if algorithms < 2:
        raise ConfigError(f"algorithms must be at least 2. Received: algorithms={algorithms}")
    pairs = algorithms * (algorithms - 1) // 2
    needed = participants_needed(
        difference,
        trials=counts["trials"],
        photographs=counts["photographs"],
        components=components,
        comparisons=pairs,
    )
    return [
        f"{needed:,} participants an algorithm, {needed * algorithms:,} in all: {100 * POWER:.0f} % of such "
        f"experiments find a difference of {difference:g} points",
        f"With {algorithms} algorithms ({quantity(pairs, 'comparison')}), {counts['photographs']:,} photographs and "
        f"{quantity(counts['trials'], 'trial')} a participant that count",
        f"A rate of {components.rate:.3g} %, and standard deviations of {components.participants:.3g} points over "
        f"participants and {components.photographs:.3g} over photographs with an algorithm; {source} where not given",
    ]


def pilot(answers: Answers) -> tuple[dict[str, int], Components]:
    """Return the counts of an experiment, and what its answers say of variances; defaults where they say nothing."""
    kept, _ = apply_rules(answers.participants, answers.trials, answers.protocol)
    if kept.empty:
        raise DataError(f"experiment {answers.experiment} has no answers that count: nothing to estimate from")
    found, assumed = variance_components(kept), Components()
    known = {name: value for name, value in vars(found).items() if not np.isnan(value)}
    counts = {
        "trials": answers.protocol.test,
        # Of those in the bundle, all but a few were seen by someone.
        "photographs": int(answers.trials["photograph"].nunique()),
        "algorithms": max(2, len(answers.algorithms)),
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
