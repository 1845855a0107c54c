"""Options of `python -m ablate.turing build`. No TensorFlow."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from ablate.config.schema import Schema, unknown_key, validate
from ablate.errors import ConfigError
from ablate.turing.protocol import Protocol, Rules

MOST_CROPS = 100


class BuildOptions(Schema):
    """The options, see `command.HELP`."""

    study: str | None = None
    runs: str = ""
    variants: str = ""
    external: Mapping[str, str] = {}
    real: str | None = None
    name: str | None = None
    out: str | None = None
    side: Annotated[int, Field(ge=16, le=1024)] = 256
    photographs: PositiveInt = 200
    crops: Annotated[int, Field(ge=1, le=MOST_CROPS)] = 1
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    practice: int = Protocol.model_fields["practice"].default
    test: int = Protocol.model_fields["test"].default
    checks: int = Protocol.model_fields["checks"].default
    exposure_ms: int = Protocol.model_fields["exposure_ms"].default
    rules: Rules = Rules()
    data: Literal["folder", "prepared", "sample"] | None = None
    data_root: Annotated[str | None, Field(alias="data.root")] = None
    uri: str | None = None

    @property
    def protocol(self) -> Protocol:
        """How the experiment goes."""
        own = {key: getattr(self, key) for key in ("practice", "test", "checks", "exposure_ms")}
        return validate(Protocol, {**own, "rules": self.rules})

    @property
    def run_ids(self) -> list[str]:
        """The runs that were picked."""
        return [run.strip() for run in self.runs.split(",") if run.strip()]

    @property
    def variant_names(self) -> list[str]:
        """The variants that were picked."""
        return [variant.strip() for variant in self.variants.split(";") if variant.strip()]


def parse_options(given: Sequence[str]) -> BuildOptions:
    """Read the command's arguments.

    Raises:
        ConfigError: One is unknown, or its value impossible.
    """
    values: dict[str, Any] = {}
    nested: dict[str, dict[str, str]] = {"external": {}, "rules": {}}
    for argument in given:
        name, equals, value = argument.partition("=")
        group, dot, key = name.partition(".")
        inside = bool(dot) and group in nested
        if not inside and (name in nested or name not in _names()):
            raise ConfigError(unknown_key(name, [*(each for each in _names() if each not in nested), *_NESTED]))
        if not equals or not value or (inside and not key):
            raise ConfigError(f"{name} needs a value, as in {name}=VALUE")
        if inside:
            nested[group][key] = value
        else:
            values[name] = value
    rules = validate(Rules, nested["rules"], prefix="rules")
    return validate(BuildOptions, {**values, "external": nested["external"], "rules": rules})


_NESTED = ("external.NAME", *(f"rules.{key}" for key in Rules.model_fields))


def _names() -> list[str]:
    return [field.alias or name for name, field in BuildOptions.model_fields.items()]
