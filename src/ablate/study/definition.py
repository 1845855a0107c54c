"""Study files: one YAML file names a question, a baseline, factors and seeds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field, NonNegativeInt, PositiveFloat, field_validator, model_validator

from ablate.cli.composition_errors import explain_unreadable_file
from ablate.config.level import level_text, same_level
from ablate.config.paths import experiment_folders
from ablate.config.schema import Schema, unknown_level, validate
from ablate.config.sections import StudyName
from ablate.config.variant import Variant
from ablate.errors import ConfigError
from ablate.study.designs import Design, Expansion, expand
from ablate.study.tuning import Tuning, first_values

_UNQUOTED = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FACTOR = re.compile(r"\+{0,2}[A-Za-z_][\w./@-]*")
_HYDRA_SECTION = re.compile(r"\+{0,2}hydra\b")
"""Not a factor: it names classes that Hydra constructs."""
_NOT_TEXT = ("null", "true", "false", "nan", "inf")
"""Words that Hydra does not read as text."""

Level = str | bool | int | float | list[Any] | dict[str, Any] | None
Levels = dict[str, Level]


class MetricConfig(Schema):
    """The metric that answers the question, its direction, and the margin below which a difference does not matter."""

    name: str
    direction: Literal["maximize", "minimize"]
    margin: PositiveFloat | None = None


class StudyFile(Schema):
    """The content of a study file; the files in `experiments/` explain each key."""

    name: StudyName
    question: Annotated[str, Field(min_length=1)]
    baseline: Levels
    factors: dict[str, Annotated[list[Level], Field(min_length=1)]]
    design: Design
    resolution: Annotated[int, Field(ge=3)] = 5
    variants: dict[str, Levels] = Field(default_factory=dict)
    seeds: Annotated[list[NonNegativeInt], Field(min_length=1)]
    metric: MetricConfig
    budget_hours: PositiveFloat | None = None
    tune: Tuning | None = None

    @field_validator("seeds")
    @classmethod
    def _unique_seeds(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("duplicate seed")
        return seeds

    @model_validator(mode="after")
    def _consistent(self) -> "StudyFile":
        for factor, levels in self.factors.items():
            if not _FACTOR.fullmatch(factor) or _HYDRA_SECTION.match(factor):
                raise ValueError(f"factors: {factor!r} is no key or group of the configuration of a run")
            if factor not in self.baseline:
                raise ValueError(f"baseline has no level of the factor {factor}; allowed: {_listed(levels)}")
            if not _is_among(self.baseline[factor], levels):
                raise ValueError(
                    f"baseline.{factor}={level_text(self.baseline[factor])} is no level of the factor; "
                    f"allowed: {_listed(levels)}"
                )
            if any(same_level(one, other) for one, other in combinations(levels, 2)):
                raise ValueError(f"factors.{factor}: duplicate level: {_listed(levels)}")
        for factor in self.baseline:
            if factor not in self.factors:
                raise ValueError(f"baseline.{factor} is no factor; the factors are {', '.join(self.factors)}")
        for name, chosen in self.variants.items():
            for factor, level in chosen.items():
                if factor not in self.factors:
                    raise ValueError(
                        f"variants.{name}: {factor} is no factor; the factors are {', '.join(self.factors)}"
                    )
                if not _is_among(level, self.factors[factor]):
                    raise ValueError(
                        f"variants.{name}: {factor}={level_text(level)} is no level of the factor; "
                        f"allowed: {_listed(self.factors[factor])}"
                    )
        if self.tune is not None:
            self.tune.check(self.factors, self.seeds)
        self.expansion()
        return self

    def expansion(self) -> Expansion:
        """Return the variants of the design and of the list `variants`.

        Raises:
            ValueError: The design does not suit the factors, or two variants are the same.
        """
        expansion = expand(self.design, self.factors, self.baseline, self.resolution)
        variants = [*expansion.variants, *({**self.baseline, **levels} for levels in self.variants.values())]
        names = [self.variant_of(levels).name for levels in variants]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"duplicate variant: {name}")
        return Expansion(variants, expansion.aliases)

    def variant_of(self, levels: Mapping[str, Level]) -> Variant:
        """Return the variant with these levels, one of every factor."""
        return Variant.from_levels(levels, self.baseline)


@dataclass(frozen=True)
class StudyRun:
    """One run of a study: its variant, its seed and its overrides."""

    variant: Variant
    seed: int
    overrides: tuple[str, ...]


def study_files() -> dict[str, Path]:
    """Return the paths of all study files, by name."""
    folders = experiment_folders()
    return {path.stem: path for folder in reversed(folders) for path in sorted(folder.glob("*.yaml"))}


def load_study(name: str) -> StudyFile:
    """Load a study from `experiments/NAME.yaml`.

    Raises:
        ConfigError: There is no such file, or something in it is wrong; one line for each.
    """
    known = study_files()
    if name not in known:
        raise ConfigError(unknown_level("experiment", name, known))
    path = known[name]
    try:
        # As Hydra reads its files: 3e-4 is a number.
        values = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except (OSError, yaml.YAMLError, UnicodeDecodeError, OmegaConfBaseException) as error:
        said = explain_unreadable_file(error, path) or f"{path} cannot be read: {' '.join(str(error).split())}"
        raise ConfigError(said) from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold keys and values")
    try:
        return validate(StudyFile, {"name": name, **{str(key): value for key, value in values.items()}})
    except ConfigError as error:
        raise ConfigError("\n".join(f"{path.name}: {line}" for line in str(error).splitlines())) from None


def study_runs(study: StudyFile, shared: Sequence[str] = (), *, name: str | None = None) -> list[StudyRun]:
    """List a study's runs, seed by seed: each seed that is done gives a complete table.

    Args:
        study: The study.
        shared: Overrides of the command line for all runs.
        name: The override of `study.name`, which Hydra resolves; None: the study's own name.
    """
    return [
        StudyRun(
            variant=study.variant_of(levels),
            seed=seed,
            overrides=(
                *shared,
                *(f"{factor}={override_value(level)}" for factor, level in levels.items()),
                # The first of those that are tried, until one is chosen: see `study.search`.
                *(f"{key}={override_value(value)}" for key, value in first_values(study.tune, levels).items()),
                f"seed={seed}",
                name or f"study.name={override_value(study.name)}",
                f"study.variant={override_value(study.variant_of(levels).name)}",
            ),
        )
        for seed in study.seeds
        for levels in study.expansion().variants
    ]


def override_value(level: Level) -> str:
    """Write a level such that Hydra reads it back: text other than a plain word in quotes."""
    if level is None:
        return "null"
    if isinstance(level, bool):
        return str(level).lower()
    if isinstance(level, list):
        return f"[{','.join(map(override_value, level))}]"
    if isinstance(level, dict):
        return f"{{{','.join(f'{key}:{override_value(value)}' for key, value in level.items())}}}"
    if isinstance(level, str) and (not _UNQUOTED.fullmatch(level) or level.lower() in _NOT_TEXT):
        # Hydra reads a backslash as an escape only before a quote.
        escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + (r"\'" if found[2] else ""), level)
        return f"'{escaped}'"
    return str(level)


def _is_among(level: Level, levels: Sequence[Level]) -> bool:
    return any(same_level(level, other) for other in levels)


def _listed(levels: Sequence[Level]) -> str:
    return ", ".join(map(level_text, levels))
