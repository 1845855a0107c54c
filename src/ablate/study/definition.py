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
from ablate.config.paths import experiment_folders
from ablate.config.schema import Schema, unknown_level, validate
from ablate.config.sections import StudyName
from ablate.config.variant import level_text, named, same_level
from ablate.errors import ConfigError
from ablate.study.designs import Design, Expansion, expand

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FACTOR = re.compile(r"\+{0,2}[A-Za-z_][\w./@-]*")
_HYDRAS = re.compile(r"\+{0,2}hydra\b")
"""Its own section names classes that it constructs."""
_NO_TEXT = ("null", "true", "false", "nan", "inf")
"""Words that are something else than text for Hydra."""

Level = str | bool | int | float | list[Any] | dict[str, Any] | None
Levels = dict[str, Level]


class MetricConfig(Schema):
    """The metric that answers the question, which way is better, and up to where a difference does not matter."""

    name: str
    direction: Literal["maximize", "minimize"]
    margin: PositiveFloat | None = None


class StudyFile(Schema):
    """A study as its file says it; see the files in `experiments/` for what each key means."""

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

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("a seed stands there twice")
        return seeds

    @model_validator(mode="after")
    def _consistent(self) -> "StudyFile":
        for factor, levels in self.factors.items():
            if not _FACTOR.fullmatch(factor) or _HYDRAS.match(factor):
                raise ValueError(f"factors: {factor!r} is no key or group of the configuration of a run")
            if factor not in self.baseline:
                raise ValueError(f"baseline has no level of the factor {factor}; it needs one of {_listed(levels)}")
            if not _among(self.baseline[factor], levels):
                raise ValueError(
                    f"baseline.{factor}={level_text(self.baseline[factor])} is none of its levels {_listed(levels)}"
                )
            if any(same_level(one, other) for one, other in combinations(levels, 2)):
                raise ValueError(f"factors.{factor}: a level stands there twice: {_listed(levels)}")
        for factor in self.baseline:
            if factor not in self.factors:
                raise ValueError(f"baseline.{factor} is no factor; the factors are {', '.join(self.factors)}")
        for name, chosen in self.variants.items():
            for factor, level in chosen.items():
                if factor not in self.factors:
                    raise ValueError(
                        f"variants.{name}: {factor} is no factor; the factors are {', '.join(self.factors)}"
                    )
                if not _among(level, self.factors[factor]):
                    raise ValueError(
                        f"variants.{name}: {factor}={level_text(level)} is none of its levels "
                        f"{_listed(self.factors[factor])}"
                    )
        self.expansion()
        return self

    def expansion(self) -> Expansion:
        """Return the design's variants and those that are listed.

        Raises:
            ValueError: The design does not suit the factors, or two variants are the same.
        """
        expansion = expand(self.design, self.factors, self.baseline, self.resolution)
        variants = [*expansion.variants, *({**self.baseline, **levels} for levels in self.variants.values())]
        names = [self.name_of(variant) for variant in variants]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the variant {name} stands there twice")
        return Expansion(variants, expansion.aliases)

    def name_of(self, variant: Mapping[str, Level]) -> str:
        """Return a variant's name: its difference from the study's baseline."""
        return named(
            {
                factor: level_text(level)
                for factor, level in variant.items()
                if not same_level(level, self.baseline[factor])
            }
        )


@dataclass(frozen=True)
class StudyRun:
    """One run of a study: its variant's name and levels, its seed, and the overrides that make it."""

    variant: str
    seed: int
    overrides: tuple[str, ...]


def study_files() -> dict[str, Path]:
    """Return the study files that there are, by name."""
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


def study_runs(study: StudyFile, shared: Sequence[str] = (), *, renamed: str | None = None) -> list[StudyRun]:
    """List a study's runs, seed by seed, so that every seed that is done is a whole table.

    Args:
        study: The study.
        shared: Overrides of the command line, which hold for all runs.
        renamed: The one of `study.name` among them, for Hydra to resolve; None: the study is called as in its file.
    """
    return [
        StudyRun(
            variant=study.name_of(variant),
            seed=seed,
            overrides=(
                *shared,
                *(f"{factor}={_written(level)}" for factor, level in variant.items()),
                f"seed={seed}",
                renamed or f"study.name={_written(study.name)}",
                f"study.variant={_written(study.name_of(variant))}",
            ),
        )
        for seed in study.seeds
        for variant in study.expansion().variants
    ]


def _written(level: Level) -> str:
    """Write a level as Hydra reads it back: a text that is no plain word in quotes."""
    if level is None:
        return "null"
    if isinstance(level, bool):
        return str(level).lower()
    if isinstance(level, list):
        return f"[{','.join(map(_written, level))}]"
    if isinstance(level, dict):
        return f"{{{','.join(f'{key}:{_written(value)}' for key, value in level.items())}}}"
    if isinstance(level, str) and (not _PLAIN.fullmatch(level) or level.lower() in _NO_TEXT):
        # Backslashes count as such for Hydra, but before a quote.
        escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + (r"\'" if found[2] else ""), level)
        return f"'{escaped}'"
    return str(level)


def _among(level: Level, levels: Sequence[Level]) -> bool:
    return any(same_level(level, other) for other in levels)


def _listed(levels: Sequence[Level]) -> str:
    return ", ".join(map(level_text, levels))
