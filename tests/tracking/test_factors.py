"""The factors of a run as params."""

import pytest
from mlflow.utils.validation import _validate_param_name

from ablate.tracking.factors import factor_levels, factor_params

BASELINE = {"depth": "full", "loss.mix": 0.5, "dropout": None}


@pytest.mark.parametrize(
    ("variant", "levels"),
    [
        ("baseline", {"depth": "full", "loss.mix": "0.5", "dropout": "None"}),
        ("depth=shallow,loss.mix=0.9", {"depth": "shallow", "loss.mix": "0.9", "dropout": "None"}),
        ("odd=1", {"depth": "full", "loss.mix": "0.5", "dropout": "None"}),
    ],
)
def test_every_variant_of_a_study_has_all_its_factors_and_no_others(variant: str, levels: dict[str, str]) -> None:
    assert factor_levels({}, variant, BASELINE) == levels


def test_a_variant_with_a_name_of_its_own_has_the_levels_that_its_command_gave() -> None:
    known = {"depth": "shallow", "optimizer": "adam"}
    assert factor_levels(known, "mine", BASELINE) == {"depth": "shallow", "loss.mix": "0.5", "dropout": "None"}


def test_a_run_without_a_study_has_all_levels_that_are_known_of_it() -> None:
    assert factor_levels({"depth": "full"}, "loss.mix=0.9", None) == {"depth": "full", "loss.mix": "0.9"}


@pytest.mark.parametrize("factor", ["+data.extra", "dropout@second.dropout", "db/mysql", "a//b", "++x"])
def test_any_factor_has_a_name_that_mlflow_takes(factor: str) -> None:
    (param,) = factor_params({factor: "y" * 10_000})
    _validate_param_name(param.key)
    assert param.key.startswith("factor/")
    assert len(param.value) == 6000
