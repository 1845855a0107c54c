"""`python -m ablate.run`: train, evaluate and track one run, or with `-m` a sweep of them."""

from __future__ import annotations

import logging
import sys
from pickle import UnpicklingError

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.cli.arguments import quote_names
from ablate.cli.command_line import CONFIG_NAME, VERSION_BASE, check_run_options, with_project
from ablate.cli.errors import handle_errors, with_page
from ablate.config.paths import conf_dir
from ablate.errors import AblateError, ConfigError
from ablate.execution.in_process import execute
from ablate.execution.in_subprocess import execute_in_subprocess
from ablate.execution.job import describe_job
from ablate.system.phase_clock import process_age

_PAGE = "docs/reference/configuration.md"
log = logging.getLogger(__name__)


@hydra.main(config_path=str(conf_dir()), config_name=CONFIG_NAME, version_base=VERSION_BASE)
def _job(config: DictConfig) -> None:
    """Execute one run; each one of a sweep has a process of its own, and its failure leaves the others alone."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        execute_in_subprocess(describe_job(config))
        return
    try:
        execute(describe_job(config), age=process_age())
    except AblateError as error:
        if not _is_error_logged():
            raise
        # The traceback would say nothing that the message does not.
        log.error("%s", with_page(str(error), error, _PAGE))
    except KeyboardInterrupt as interrupt:
        log.error("%s: what was tracked is kept", str(interrupt) or "Interrupted")
        raise
    except Exception:  # whatever the code of a user raises: its traceback belongs into the log
        if not _is_error_logged():
            raise
        log.exception("The run failed")
    else:
        return
    raise SystemExit(1)


def _is_error_logged() -> bool:
    """Tell whether the log shows errors; not with `hydra/job_logging=disabled`."""
    return log.isEnabledFor(logging.ERROR) and log.hasHandlers()


def main() -> None:
    """Run the command."""
    with handle_errors(_PAGE):
        check_run_options(sys.argv[1:])
        sys.argv[1:] = with_project(quote_names(sys.argv[1:]))
        try:
            _job()
        except (EOFError, UnpicklingError) as error:
            if not any(argument.startswith("--experimental-rerun") for argument in sys.argv):
                raise
            raise ConfigError(
                f"--experimental-rerun takes a config.pickle of PickleJobInfoCallback: {error}"
            ) from error


if __name__ == "__main__":
    main()
