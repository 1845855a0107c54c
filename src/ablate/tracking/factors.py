"""The factors of a run as params of MLflow, so that its table groups, compares and draws by them."""

from collections.abc import Mapping
from typing import Any

from mlflow.entities import Param
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

from ablate.config.level import level_text
from ablate.config.variant import Variant
from ablate.tracking import names


def factor_levels(known: Mapping[str, str], variant: str, baseline: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the level of each factor of a run: those of its study's definition, else those that are known of it.

    Args:
        known: Levels by factor, see `config.job_variant.factors_of_job`.
        variant: The variant's name.
        baseline: That of the study's definition, by factor; None where it has none.

    Example:
        >>> factor_levels({"depth": "full", "dropout": "none"}, "depth=shallow", {"depth": "full"})
        {'depth': 'shallow'}
    """
    parts = (difference.partition("=") for difference in Variant.parse(variant).differences)
    differences = {key: level for key, equals, level in parts if equals}
    if baseline is None:
        return {**known, **differences}
    return {
        factor: differences.get(factor) or known.get(factor.lstrip("+")) or level_text(level)
        for factor, level in baseline.items()
    }


def recorded_levels(params: Mapping[str, str]) -> dict[str, str]:
    """Return the level by factor that a run's params record."""
    return {key.partition("/")[2]: level for key, level in params.items() if names.is_factor(key)}


def factor_params(levels: Mapping[str, str]) -> list[Param]:
    """Return the params of levels by factor."""
    return [Param(names.factor_param(factor), level[:MAX_PARAM_VAL_LENGTH]) for factor, level in levels.items()]
