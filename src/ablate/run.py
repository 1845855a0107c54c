"""`python -m ablate.run`: train, evaluate and track one run, or with `-m` a sweep of them."""

from __future__ import annotations

import logging

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.apart import execute_apart
from ablate.cli import command
from ablate.config import conf_dir
from ablate.errors import AblateError
from ablate.execute import execute
from ablate.job import described

log = logging.getLogger(__name__)


@hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")
def _job(config: DictConfig) -> None:
    """Do one run; of a sweep, each has a process of its own, and a failing one leaves the others to go on."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        execute_apart(described(config))
        return
    try:
        execute(described(config))
    except AblateError as error:
        log.error("%s", error)  # the traceback would say nothing that the message does not
    except KeyboardInterrupt as interrupt:
        log.error("%s: what was tracked is kept", str(interrupt) or "Interrupted")
        raise
    except Exception:
        log.exception("The run failed")
    else:
        return
    raise SystemExit(1)


def main() -> None:
    """Run the command."""
    with command():
        _job()


if __name__ == "__main__":
    main()
