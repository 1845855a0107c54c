"""Composition of a sweep's runs: those of a variant are composed once."""

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.config.interpolation import has_hydra_interpolation, resolve
from ablate.study.compose_variants import Load, Values, compose_variants

SET_AFTERWARDS = ("seed", "study.name", "study.variant")
"""Keys that no config group depends on, and in which the runs of a variant differ."""


def compose_runs(load: Load, runs: Sequence[Sequence[str]]) -> list[Values]:
    """Compose the configuration of every run of a sweep.

    Runs that differ in their seed and names alone are composed once, as that takes Hydra a tenth of a second; what
    they differ in is set afterwards. See `compose_variants` for the variants.

    Args:
        load: Hydra's composition of one list of overrides.
        runs: The overrides of each run.

    Returns:
        The values of each run without the section `hydra`. Interpolations are resolved only where one refers to the
        run's own job: `${hydra:..}`.
    """
    parser = OverridesParser.create()
    split = []
    for overrides in runs:
        keys = [line.partition("=")[0].removeprefix("++") for line in overrides]
        afterwards = () if "study" in keys else SET_AFTERWARDS
        variant = tuple(line for key, line in zip(keys, overrides, strict=True) if key not in afterwards)
        split.append((overrides, variant))
    variants = list(dict.fromkeys(variant for _, variant in split))
    composed = dict(zip(variants, compose_variants(load, variants), strict=True))
    result = []
    for overrides, variant in split:
        values = dict(composed[variant])
        for override in parser.parse_overrides([line for line in overrides if line not in variant]):
            section, _, key = override.key_or_group.rpartition(".")
            value = override.value()
            change = {key: getattr(value, "text", value)}
            values.update({section: {**values.get(section, {}), **change}} if section else change)
        result.append(resolve(load([*overrides])) if has_hydra_interpolation(values) else values)
    return result
