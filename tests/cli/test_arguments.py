"""Arguments of commands."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.cli.arguments import parse_arguments, parse_bool, parse_float, parse_int, quote_names, split_arguments
from ablate.errors import ConfigError


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


def test_arguments_are_values_by_name() -> None:
    given = ["out=a=b", "rules.x=1", "out=c"]
    assert parse_arguments(given, ["out", "in"], ["rules"]) == {"out": "c", "rules.x": "1"}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("ot=1", "unknown key: ot. Allowed: in, out, rules.NAME. Did you mean out?"),
        ("rules=1", "unknown key: rules. Allowed: in, out, rules.NAME"),
        ("out", "out needs a value, as in out=VALUE"),
        ("out=", "out needs a value, as in out=VALUE"),
        ("rules.=1", "rules. needs a value"),
    ],
)
def test_a_mistaken_argument_is_named(argument: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_arguments([argument], ["out", "in"], ["rules"])
    assert str(error.value).startswith(message)


def test_arguments_of_hydra_stay_as_they_are() -> None:
    given = ["seed=1", "out=DIR", "~depth", "--multirun", "outer=2"]
    assert split_arguments(given, ["out"]) == ({"out": "DIR"}, ["seed=1", "~depth", "--multirun", "outer=2"])


def test_values_are_numbers_or_true_or_false() -> None:
    arguments = {"a": "3", "b": "0.5", "c": "true", "d": "false"}
    assert (parse_int(arguments, "a", 1), parse_int(arguments, "none", 1)) == (3, 1)
    assert (parse_float(arguments, "b", 1.0), parse_float(arguments, "none", 1.0)) == (0.5, 1.0)
    assert [parse_bool(arguments, name, True) for name in ("c", "d", "none")] == [True, False, True]


@pytest.mark.parametrize("value", ["x", "1.5", "0", "-1"])
def test_an_impossible_value_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^workers must be a whole number from 1\. Received: workers={value}$"):
        parse_int({"workers": value}, "workers", 2, minimum=1)
    with pytest.raises(ConfigError, match=r"^port must be a whole number from 1 to 9\. Received: port=10$"):
        parse_int({"port": "10"}, "port", 2, minimum=1, maximum=9)
    with pytest.raises(ConfigError, match=r"^rate must be a number\. Received: rate=x$"):
        parse_float({"rate": "x"}, "rate", 2.0)
    with pytest.raises(ConfigError, match=r"^track must be true or false\. Received: track=no$"):
        parse_bool({"track": "no"}, "track", True)
