"""Keys that change a result, and groups whose levels make variants."""

import pytest

from ablate.config.result_keys import changes_result, is_varied_group


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("optimizer.learning_rate", True),
        ("data.image_size", True),
        ("hardware.precision", True),
        ("data.root", False),
        ("seed", False),
        ("hardware.threads", False),
        ("checkpoint.minutes", False),
        ("tracking/mlflow", False),
    ],
)
def test_which_keys_change_a_result(key: str, changes: bool) -> None:
    assert changes_result(key, ["data.root"]) is changes


@pytest.mark.parametrize("group", ["depth", "dropout@second"])
def test_levels_of_factors_make_variants(group: str) -> None:
    assert is_varied_group(group)


@pytest.mark.parametrize("group", ["scale", "data", "hydra/launcher", "tracking/mlflow"])
def test_levels_of_shared_groups_make_none(group: str) -> None:
    assert not is_varied_group(group)
