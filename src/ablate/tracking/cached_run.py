"""Cached runs: a finished run of another study, linked to this one instead of trained again."""

import time
from collections.abc import Mapping
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunStatus
from mlflow.exceptions import MlflowException

from ablate.config.variant import Variant
from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.factors import factor_levels, factor_params
from ablate.tracking.stored_runs import source_of
from ablate.tracking.study import definition_of, stamp_tag, study_experiment
from ablate.tracking.tracked_run import log_metrics, log_params


def link_cached_run(
    run_id: str, *, study: str, variant: str, project: Path, factors: Mapping[str, str] | None = None
) -> None:
    """Make a finished run of another study a result of this one as well: a run that shows its numbers.

    Its artifacts are not copied; a tag names the run that has them.

    Args:
        run_id: The finished run.
        study: Name of the study that the result is linked to.
        variant: The variant's name there.
        project: See `run.track`.
        factors: See `run.track`.

    Raises:
        TrackingError: The store does not take it.
    """
    try:
        client = mlflow.MlflowClient()
        source = client.get_run(run_id)
        tags = names.current_tags(source.data.tags)
        experiment = study_experiment(study, project)
        # Of the study where it was trained.
        others = (names.STAMP_TAG, names.COMMAND_TAG, names.ORIGIN_PREFIX)
        own = {
            name: value
            for name, value in tags.items()
            if name.startswith(names.TAG_PREFIX) and not name.startswith(others)
        }
        linked = client.create_run(
            experiment.experiment_id,
            start_time=source.info.start_time,
            run_name=Variant.parse(variant).run_name(tags[names.SEED_TAG]),
            tags={
                **own,
                **stamp_tag(experiment.tags),
                names.TYPE_TAG: names.TRAINING,
                names.STUDY_TAG: study,
                names.VARIANT_TAG: variant,
                names.CACHED_FROM_TAG: source_of(source),
            },
        ).info.run_id
        # The factors are those of this study, not of the one where it was trained.
        config = {key: value for key, value in source.data.params.items() if not names.is_factor(key)}
        log_params(client, linked, [Param(key, value) for key, value in config.items()])
        definition = definition_of(experiment.tags)
        levels = factor_levels(factors or {}, variant, definition["baseline"] if definition else None)
        log_params(client, linked, factor_params(levels))
        now = int(time.time() * 1000)
        log_metrics(
            client,
            linked,
            [Metric(key, value, now, 0) for key, value in names.current_metrics(source.data.metrics).items()],
        )
        client.set_terminated(linked, RunStatus.to_string(RunStatus.FINISHED), end_time=source.info.end_time)
    except (MlflowException, OSError) as error:
        raise TrackingError(f"the cached run {run_id} cannot be linked: {str(error).splitlines()[0]}") from error
