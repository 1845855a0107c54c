"""Arguments as they are written."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.cli.arguments import quote_names


@pytest.mark.parametrize("name", ["123", "1e3", "true", "2024", "1_000", "0x10", "1.0", "nan", "-1", "plain", "a-b.c"])
@pytest.mark.parametrize("key", ["study.name", "++study.name", "study.variant", "experiment"])
def test_a_name_is_text(key: str, name: str) -> None:
    (line,) = quote_names([f"{key}={name}"])
    value = OverridesParser.create().parse_override(line).value()
    assert str(getattr(value, "text", value)) == name
    assert isinstance(getattr(value, "text", value), str)


def test_null_is_the_name_of_a_study_and_otherwise_none() -> None:
    lines = ["study.name=null", "study.variant=null", "experiment=null"]
    assert quote_names(lines) == ["study.name='null'", "study.variant=null", "experiment=null"]


def test_each_of_several_names_is_text() -> None:
    assert quote_names(["study.name=2023,true,plain"]) == ["study.name='2023','true',plain"]


@pytest.mark.parametrize(
    "line",
    ["seed=1e3", "study.name=plain", "study.name='2024'", "study.name=${oc.env:WHO}-try", "study.name=range(1,3)",
     "study.name=", "~study.variant", "optimizer.learning_rate=1e-3", "study={name: 3}", "study.name=a b"],
)  # fmt: skip
def test_other_arguments_stay(line: str) -> None:
    assert quote_names([line]) == [line]
