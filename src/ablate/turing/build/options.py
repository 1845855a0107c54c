"""Options of `python -m ablate.turing build`. No TensorFlow."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt

from ablate.cli.arguments import parse_arguments
from ablate.config.schema import Schema, validate
from ablate.turing.protocol import Design, Protocol, Rules

MOST_CROPS = 100
_GROUPS = ("external", "rules")
"""`external.NAME` and `rules.NAME` are options as well."""


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
    design: Design = "between"
    with_real: bool = False
    points: int = Protocol.model_fields["points"].default
    rules: Rules = Rules()
    data: Literal["folder", "prepared", "sample"] | None = None
    data_root: Annotated[str | None, Field(alias="data.root")] = None
    uri: str | None = None

    @property
    def protocol(self) -> Protocol:
        """How the experiment goes."""
        names = ("practice", "test", "checks", "exposure_ms", "design", "with_real", "points")
        return validate(Protocol, {**{name: getattr(self, name) for name in names}, "rules": self.rules})

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
    names = [field.alias or name for name, field in BuildOptions.model_fields.items()]
    arguments = parse_arguments(given, [name for name in names if name not in _GROUPS], _GROUPS)
    values: dict[str, Any] = {name: value for name, value in arguments.items() if name in names}
    for group in _GROUPS:
        values[group] = {
            name.removeprefix(f"{group}."): value for name, value in arguments.items() if name.startswith(f"{group}.")
        }
    values["rules"] = validate(Rules, values["rules"], prefix="rules")
    return validate(BuildOptions, values)
