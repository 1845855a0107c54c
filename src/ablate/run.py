"""`python -m ablate.run`: train, evaluate and track one run, or with `-m` a sweep of them."""

from __future__ import annotations

import logging

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ablate.cli import command
from ablate.config import check, chosen_levels, conf_dir, levels_alone, project_dir, set_before_tensorflow
from ablate.errors import AblateError
from ablate.execute import Job, execute, execute_apart
from ablate.study.variant import NOT_VARIED, variant_name

log = logging.getLogger(__name__)


@hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")
def _job(config: DictConfig) -> None:
    """Do one run; of a sweep, each has a process of its own, and a failing one leaves the others to go on."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        execute_apart(_described(config))
        return
    try:
        execute(_described(config))
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


def _described(config: DictConfig) -> Job:
    from ablate.tracking.store import store_uri

    checked, hydra_config = check(config), HydraConfig.get()
    variant = checked.run.study.variant or variant_name(
        hydra_config.overrides.task,
        choices=chosen_levels(),
        defaults=levels_alone(NOT_VARIED)[0],
        values=checked.values,
        reference=levels_alone()[1],
    )
    return Job(
        values=checked.values,
        variant=variant,
        uri=store_uri(checked.run.tracking.uri, project_dir()),
        project=project_dir(),
        logging=OmegaConf.to_container(hydra_config.job_logging, resolve=True),  # type: ignore[arg-type]
        verbose=OmegaConf.to_object(hydra_config.verbose)  # type: ignore[arg-type]
        if OmegaConf.is_config(hydra_config.verbose)
        else hydra_config.verbose,
    )


def main() -> None:
    """Run the command."""
    set_before_tensorflow()
    with command():
        _job()


if __name__ == "__main__":
    main()
