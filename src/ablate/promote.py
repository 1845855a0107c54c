"""The command `python -m ablate.promote`: the best variant of a study in MLflow's registry. No TensorFlow."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ablate.cli.arguments import parse_arguments
from ablate.cli.command_line import configured_uri, split_config_options
from ablate.cli.errors import handle_errors
from ablate.cli.terminal import visible
from ablate.config.paths import results_dir
from ablate.config.schema import unknown_level
from ablate.config.variant import BASELINE
from ablate.errors import ConfigError, NotComparable, TrackingError

if TYPE_CHECKING:
    import pandas as pd

    from ablate.report.results import Results
    from ablate.tracking.study_record import StudyRecord
    from ablate.tracking.tracked_model import TrackedModel

HELP = """\
Register the best variant of a finished study in MLflow's model registry, with the verdict that justifies it.

  python -m ablate.promote study=NAME                     as models:/NAME@champion
  python -m ablate.promote study=NAME name=colorizer alias=staging
  python -m ablate.promote study=NAME metric=NAME         the best by another metric than the study's own
  python -m ablate.promote study=NAME variant=baseline    one that is named, whatever the verdict
  python -m ablate.promote study=NAME uri=sqlite:///FILE  from another store; else the project's tracking.uri,
                                                          MLFLOW_TRACKING_URI, results/mlflow.db

The comparison is the report's. The best is the variant with the best mean of those that are better than the baseline;
where none is, nothing is registered unless variant= names it. Of its seeds, the one whose value of the metric is the
median is registered; of an even number, the worse of the two in the middle. The version's tags and description say
verdict, difference with its interval, seeds, examples and the stamp of the study's definition. The same command again
makes no second version."""

ARGUMENTS = ("study", "metric", "variant", "name", "alias", "uri")
ALIAS = "champion"
_NAME = re.compile(r"[\w.+-][\w .+-]*")
_ALIAS = re.compile(r"(?!latest$|[vV]\d+$)[\w-]+")


@dataclass(frozen=True)
class Chosen:
    """The model that is registered, and why.

    Attributes:
        row: What the report's comparison found of its variant by the metric.
        variant: The variant's name.
        seed: Of the run.
        seeds: All seeds of the variant.
        value: The run's value of the metric.
        run_id: The run in the store.
    """

    row: Mapping[str, Any]
    variant: str
    seed: int
    seeds: list[int]
    value: float
    run_id: str


def main() -> None:
    """Run the command."""
    with handle_errors("docs/runs.md#promotion"):
        if {"-h", "--help"}.intersection(sys.argv[1:]):
            print(HELP)
            return
        options, given = split_config_options(sys.argv[1:])
        arguments = parse_arguments(given, ARGUMENTS)
        if "study" not in arguments:
            raise ConfigError("study=NAME must be given: the study whose best variant is registered")
        study = arguments["study"]
        name, alias = arguments.get("name", study), arguments.get("alias", ALIAS)
        _check_names(name, alias)
        from ablate.report.load import load
        from ablate.tracking.store import open_store, store_uri, without_password
        from ablate.tracking.study_record import read_study

        uri = store_uri(configured_uri(arguments.get("uri"), options), results_dir())
        open_store(uri, to_read=True)  # a store that is not there is none to make
        open_store(uri)
        record = read_study(study, uri)
        results = load(record, metric=arguments.get("metric"))
        chosen = choose(record, results, arguments.get("variant"))
        print(visible(_promoted(record, results, chosen, name, alias)))
        print(f"""Load it: mlflow.set_tracking_uri("{without_password(uri)}")""")
        print(f"""         mlflow.pyfunc.load_model("models:/{name}@{alias}")""")


def _check_names(name: str, alias: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"name must have letters, digits, spaces and . + - _ alone. Received: name={name}")
    if not _ALIAS.fullmatch(alias):
        raise ConfigError(
            f"alias must have letters, digits, - and _ alone, and not be `latest` or as `v1`. Received: alias={alias}"
        )


def choose(record: StudyRecord, results: Results, variant: str | None = None) -> Chosen:
    """Choose the run whose model stands for the best variant of a study, or for a variant that is named.

    Args:
        record: The study.
        results: What its report compares.
        variant: The variant, as the report or MLflow calls it; None for the best of those that are better than the
            baseline.

    Raises:
        ConfigError: There is no such variant, or the metric has no better direction.
        NotComparable: No variant is better than the baseline.
    """
    from ablate.report.comparison import comparison_of

    comparison = comparison_of(results)
    own = comparison[comparison["metric"] == results.primary.name]
    rows = {str(row["variant"]): row for row in own.to_dict("records")}
    shown = _best(results, rows) if variant is None else results.shown_names.get(variant, variant)
    if shown not in rows:
        raise ConfigError(unknown_level("variant", str(variant), [results.names.get(name, name) for name in rows]))
    values = results.values[results.primary.name].xs(shown, level="variant").sort_index()
    seed, runs = median_seed(values, results.primary.higher_is_better), results.runs
    origin = str(runs.index[(runs["variant"] == shown) & (runs["seed"] == seed)][0])
    local = {found.run_id: run for run, found in record.origins.items()}
    return Chosen(
        row={str(key): value for key, value in rows[shown].items()},
        variant=results.names.get(shown, shown),
        seed=seed,
        seeds=[int(each) for each in values.index],
        value=float(values[seed]),
        run_id=local[origin],
    )


def median_seed(values: pd.Series, higher_is_better: bool | None) -> int:
    """Return the seed with the median value; of an even number the worse of the two in the middle.

    What is registered is to be no luckier than most, as the best of all seeds would be.

    Args:
        values: Index the seed.
        higher_is_better: None counts as if it were.

    Example:
        >>> median_seed(pd.Series({0: 3.0, 1: 9.0, 2: 5.0, 3: 4.0}), True)
        3
    """
    ranked = values.sort_values(ascending=higher_is_better is not False, kind="stable")
    return int(ranked.index[(len(ranked) - 1) // 2])


def _best(results: Results, rows: Mapping[str, Mapping[Any, Any]]) -> str:
    from ablate.report.compare import BETTER

    label = results.spec(results.primary.name)["label"]
    if results.primary.higher_is_better is None:
        raise ConfigError(
            f"{label} has no better direction: metric=NAME names a metric that has, variant=NAME a variant"
        )
    better = {name: row["mean"] for name, row in rows.items() if row["verdict"] == BETTER}
    if not better:
        verdicts = "; ".join(
            f"{name}: {row['verdict'] or 'not compared'}" for name, row in rows.items() if name != BASELINE
        )
        raise NotComparable(
            f"no variant of study {results.study} is better than the baseline by {label} "
            f"({verdicts or 'there is no other'}). Nothing was registered; variant=NAME registers one all the same, "
            "as variant=baseline"
        )
    return max(better, key=lambda name: better[name] if results.primary.higher_is_better else -better[name])


def _promoted(record: StudyRecord, results: Results, chosen: Chosen, name: str, alias: str) -> str:
    """Register what was chosen, and say so."""
    from ablate.tracking.registry import register
    from ablate.tracking.tracked_model import find_model

    model = find_model(chosen.run_id)
    if model.model_id is None:
        raise TrackingError(
            f"run {model.run_id} ({model}) kept no model, and it is the one to register: {_rule(results, chosen)}. "
            "tracking.model=true, the default, keeps one, and rerun=all trains again; an archive has models where it "
            "was exported with models=true"
        )
    why = _verdict(results, chosen)
    done = register(
        model.model_id,
        name=name,
        alias=alias,
        tags=_tags(record, results, chosen),
        description=_description(results, chosen, model, why, f"models:/{name}@{alias}"),
    )
    moved = f", which version {done.before} had" if done.before is not None else ""
    return "\n".join(
        [
            why,
            f"{'Registered as' if done.new else 'It is registered already:'} {name}, version {done.version}, "
            f"alias {alias}{moved}: {_rule(results, chosen)}.",
        ]
    )


def _verdict(results: Results, chosen: Chosen) -> str:
    from ablate.report.number_format import number, with_interval

    row, spec = chosen.row, results.spec(results.primary.name)
    if chosen.variant == BASELINE or not row["verdict"]:
        found = "the baseline" if chosen.variant == BASELINE else "not compared with the baseline"
        return f"Study {results.study}, by {spec['label']}: {chosen.variant} is {found}, mean {number(row['mean'])}."
    unit = {"": "", "%": " points"}.get(str(spec["unit"]), f" {spec['unit']}")
    difference = with_interval(row["difference"], row["low"], row["high"])
    over = f", over {row['over']}" if row["over"] else ""
    return (
        f"Study {results.study}, by {spec['label']}: {chosen.variant} against the baseline: {row['verdict']}, "
        f"{difference}{unit}{over}."
    )


def _rule(results: Results, chosen: Chosen) -> str:
    from ablate.report.number_format import number

    value = f"{results.spec(results.primary.name)['label']} {number(chosen.value)}"
    if len(chosen.seeds) == 1:
        return f"its only seed, {chosen.seed} ({value})"
    return f"seed {chosen.seed} of {', '.join(map(str, chosen.seeds))}, the one with the median ({value})"


def _tags(record: StudyRecord, results: Results, chosen: Chosen) -> dict[str, str]:
    from ablate.tracking import names

    run, row = record.runs.loc[chosen.run_id], chosen.row
    compared = row["verdict"] != ""
    kept = {
        tag: run.get(tag.removeprefix(names.TAG_PREFIX))
        for tag in (names.STAMP_TAG, names.IDENTITY_TAG, names.CODE_TAG, names.SCALE_TAG, names.FINGERPRINT_TAG)
    }
    return {
        names.STUDY_TAG: results.study,
        names.VARIANT_TAG: chosen.variant,
        names.SEED_TAG: str(chosen.seed),
        **{tag: value for tag, value in kept.items() if isinstance(value, str) and value},
        names.METRIC_TAG: results.primary.name,
        names.VALUE_TAG: f"{chosen.value:.6g}",
        names.VERDICT_TAG: str(row["verdict"]) or BASELINE,
        **({names.DIFFERENCE_TAG: f"{row['difference']:.6g}"} if compared else {}),
        **({names.INTERVAL_TAG: f"{row['low']:.6g} {row['high']:.6g}"} if compared else {}),
        names.SEEDS_TAG: " ".join(map(str, chosen.seeds)),
        names.EXAMPLES_TAG: str(results.num_examples),
    }


def _description(results: Results, chosen: Chosen, model: TrackedModel, why: str, address: str) -> str:
    from ablate.report.escaping import markdown_escaped

    return "\n\n".join(
        [
            markdown_escaped(why),
            f"The model of run `{model.run_id}`, whose artifact `model_card.md` describes it: "
            f"{markdown_escaped(_rule(results, chosen))}.",
            f'    mlflow.pyfunc.load_model("{address}")',
        ]
    )


if __name__ == "__main__":
    main()
