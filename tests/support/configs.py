"""Configurations composed and validated as a command would."""

from hydra import compose, initialize_config_dir

from ablate.config.paths import conf_dir
from ablate.config.validation import ValidConfig, validate_config


def valid_config(*overrides: str) -> ValidConfig:
    """Return the configuration of `python -m ablate.run OVERRIDES`."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return validate_config(compose("config", list(overrides)))
