"""The current Hydra job."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.config.hydra_job import is_level_choice


@pytest.mark.parametrize(
    ("line", "level"),
    [("dropout=light", True), ("+dropout@second=light", True), ("dropout={rate: 0.3}", False), ("~dropout", False)],
)
def test_an_override_chooses_a_level_or_sets_values(line: str, level: bool) -> None:
    override = OverridesParser.create().parse_override(line)
    assert is_level_choice(override, ["dropout"]) is level
    assert is_level_choice(override, ["dropout@second"]) is level
    assert not is_level_choice(override, ["optimizer"])
