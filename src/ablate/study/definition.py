"""Study files: one YAML file names a question, a baseline, factors and seeds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Discriminator, Field, NonNegativeInt, PositiveFloat, Tag, field_validator, model_validator

from ablate.cli.composition_errors import explain_unreadable_file
from ablate.config.level import level_text, same_level
from ablate.config.paths import experiment_folders
from ablate.config.schema import TAG, Schema, unknown_level, validate
from ablate.config.sections import StudyName
from ablate.config.variant import Variant
from ablate.errors import ConfigError
from ablate.statistics.seed_plan import SeedPlan
from ablate.study.designs import Design, Expansion, expand
from ablate.study.tuning import Tuning, first_values

_UNQUOTED = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FACTOR = re.compile(r"\+{0,2}[A-Za-z_][\w./@-]*")
_HYDRA_SECTION = re.compile(r"\+{0,2}hydra\b")
"""Not a factor: it names classes that Hydra constructs."""
_NOT_TEXT = ("null", "true", "false", "nan", "inf")
"""Words that Hydra does not read as text."""
_NEWER = ("baseline_seeds", "tune")
"""Keys that definitions in older stores do not have."""

LOOKED_AT = ("one_at_a_time", "list")
"""Designs of which variants can be dropped."""

Level = str | bool | int | float | list[Any] | dict[str, Any] | None
Levels = dict[str, Level]


class MetricConfig(Schema):
    """The metric that answers the question, its direction, and the margin below which a difference does not matter."""

    name: str
    direction: Literal["maximize", "minimize"]
    margin: PositiveFloat | None = None


class LooksConfig(Schema):
    """Numbers of seeds after which a study looks at its results, to continue with what is undecided alone."""

    looks: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=2)]
    first: NonNegativeInt = 0

    @field_validator("looks")
    @classmethod
    def _growing(cls, looks: list[int]) -> list[int]:
        if any(one >= other for one, other in pairwise(looks)):
            raise ValueError(f"each look needs more seeds than the one before. Received: {looks}")
        return looks


SeedsConfig = Annotated[
    Annotated[list[NonNegativeInt], Field(min_length=1), Tag(f"{TAG}list")]
    | Annotated[LooksConfig, Tag(f"{TAG}looks")],
    Discriminator(lambda value: f"{TAG}{'looks' if isinstance(value, Mapping | LooksConfig) else 'list'}"),
]
"""A list of seeds, or numbers of them."""


class StudyFile(Schema):
    """The content of a study file; the files in `experiments/` explain each key."""

    name: StudyName
    question: Annotated[str, Field(min_length=1)]
    baseline: Levels
    factors: dict[str, Annotated[list[Level], Field(min_length=1)]]
    design: Design
    resolution: Annotated[int, Field(ge=3)] = 5
    variants: dict[str, Levels] = Field(default_factory=dict)
    seeds: SeedsConfig
    baseline_seeds: Annotated[int, Field(ge=2)] | None = None
    metric: MetricConfig
    budget_hours: PositiveFloat | None = None
    tune: Tuning | None = None

    @field_validator("seeds")
    @classmethod
    def _unique_seeds(cls, seeds: list[int] | LooksConfig) -> list[int] | LooksConfig:
        if isinstance(seeds, list) and len(set(seeds)) != len(seeds):
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
            self.tune.check(self.factors, self.all_seeds)
        self.expansion()
        self._check_seeds()
        return self

    def _check_seeds(self) -> None:
        looks = self.seed_plan.looks
        if self.baseline_seeds is not None and self.baseline_seeds <= looks[0]:
            raise ValueError(
                f"baseline_seeds must be more than the seeds of all variants, {looks[0]}. "
                f"Received: {self.baseline_seeds}"
            )
        if len(looks) > 1 and len(self.expansion().variants) == 1:
            raise ValueError("seeds.looks continue with what is undecided: there is no variant beside the baseline")
        if len(looks) > 1 and self.design not in LOOKED_AT:
            raise ValueError(
                f"seeds.looks drop variants, and the effects of a {self.design} design need all of them: "
                "list the seeds, or choose the design one_at_a_time or list"
            )

    @property
    def seed_plan(self) -> SeedPlan:
        """How many seeds each variant has, and when the study looks at its results."""
        looks = self.seeds.looks if isinstance(self.seeds, LooksConfig) else [len(self.seeds)]
        return SeedPlan(tuple(looks), self.baseline_seeds or 0)

    @property
    def all_seeds(self) -> list[int]:
        """All seeds that some variant may have, in the order in which they are trained."""
        if isinstance(self.seeds, LooksConfig):
            listed = [*range(self.seeds.first, self.seeds.first + self.seeds.looks[-1])]
        else:
            listed = list(self.seeds)
        return [*listed, *range(max(listed) + 1, max(listed) + 1 + self.seed_plan.most - len(listed))]

    def plain(self) -> dict[str, Any]:
        """Return the content as plain values; without newer keys that it does not use, so that its stamp stays."""
        content = self.model_dump(mode="json")
        return {key: value for key, value in content.items() if key not in _NEWER or value is not None}

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

    def cells(self) -> list[tuple[Levels, int]]:
        """List the levels and the seed of all runs that the study may have: look by look, and seed by seed."""
        variants, plan, seeds = self.expansion().variants, self.seed_plan, self.all_seeds
        found = list[tuple[Levels, int]]()
        done = [0] * len(variants)
        for look in range(len(plan.looks)):
            counts = plan.counts(look, [look] * (len(variants) - 1))
            found += [
                (levels, seed)
                for place, seed in enumerate(seeds)
                for levels, before, count in zip(variants, done, counts, strict=True)
                if before <= place < count
            ]
            done = counts
        return found

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
        raise ConfigError(_unknown_study(name, known))
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


def _unknown_study(name: str, known: Mapping[str, Path]) -> str:
    """Return the message for a study that is not there: its file may be named with a path, or end in .yml."""
    stem = Path(name).stem
    for folder in experiment_folders():
        other = folder / f"{stem}.yml"
        if other.is_file():
            return f"experiment={name}: {other} must end in .yaml"
    said = unknown_level("experiment", name, known)
    return f"{said}. Did you mean experiment={stem}?" if stem in known and "Did you mean" not in said else said


def study_runs(study: StudyFile, shared: Sequence[str] = (), *, name: str | None = None) -> list[StudyRun]:
    """List all runs that a study may have, seed by seed: each seed that is done gives a complete table.

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
        for levels, seed in study.cells()
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
