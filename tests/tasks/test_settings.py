"""A task's settings, and which of them were read."""

import pytest
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel

from ablate.errors import ConfigError
from ablate.tasks.settings import recorded, settings_of, values_of, without

VALUES = {"dropout": {"name": "none", "rate": 0.5}, "data": {"root": "a", "size": 3}}


class Owner:
    def __init__(self) -> None:
        self.config = settings_of(None, VALUES)


def test_sections_are_attributes_that_nothing_changes() -> None:
    settings = settings_of(None, VALUES)
    assert settings.dropout.rate == 0.5
    with pytest.raises(OmegaConfBaseException, match=r"dropout\.size"):
        _ = settings.dropout.size
    with pytest.raises(OmegaConfBaseException):
        settings.dropout.rate = 1


def test_a_schema_names_what_is_wrong() -> None:
    class Dropout(BaseModel):
        name: str
        rate: float

    class Config(BaseModel):
        dropout: Dropout

    assert settings_of(Config, {"dropout": VALUES["dropout"]}).dropout.rate == 0.5
    with pytest.raises(ConfigError, match=r"dropout.rate=much: .*number"):
        settings_of(Config, {"dropout": {"name": "none", "rate": "much"}})
    with pytest.raises(ConfigError, match=r"unknown key: data. Allowed: dropout"):
        settings_of(Config, VALUES)


def test_what_is_read_is_recorded() -> None:
    owner = Owner()
    with recorded(owner) as reads:
        assert owner.config.dropout.rate == 0.5
    assert reads == {"dropout"}
    assert values_of(reads, VALUES) == values_of(reads, {**VALUES, "data": None})
    assert values_of(reads, VALUES) != values_of(reads, {"dropout": {"rate": 0.1}})


@pytest.mark.parametrize("read", [lambda config: dict(config), lambda config: config.get("data"), list])
def test_who_looks_at_all_reads_all(read) -> None:
    owner = Owner()
    with recorded(owner) as reads:
        read(owner.config)
    assert values_of(reads, VALUES) != values_of(reads, {**VALUES, "other": 1})


def test_keys_are_left_out() -> None:
    left = without(VALUES, ("data.root", "nothing.here", "dropout"))
    assert left == {"data": {"size": 3}}
    assert VALUES["data"]["root"] == "a"
