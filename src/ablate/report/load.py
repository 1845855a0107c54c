"""Everything that a report shows, from the store, as frames."""

from dataclasses import dataclass

import pandas as pd

from ablate.errors import TrackingError
from ablate.report.compare import in_order, select, short_names
from ablate.tracking.read import StudyRecord

CURVES = {"train/loss": "training", "val/loss": "evaluation photographs"}


@dataclass(frozen=True)
class Results:
    """A study's results.

    Attributes:
        study: Name of the study.
        question: What it asks, None where that was never said.
        uri: Address of the store.
        runs: The runs that are compared, index `run_id`; `variant` is the short name.
        left_out: What is not compared and why, a line each.
        common: What all variants have in common beside the defaults.
        specs: What the metrics mean: index name, columns label, unit, higher_is_better, description.
        values: Columns variant, seed, metric, value; metrics of evaluation by their name, of cost as `cost/NAME`.
        references: Columns reference, metric, value: the values of trivial answers.
        curves: Columns variant, seed, part, step, loss.
        samples: Columns variant, kind, example, file: the sample pictures of each variant's first seed.
        examples: Number of evaluation examples.
        problems: The files that the data set left out, a line each.
    """

    study: str
    question: str | None
    uri: str
    runs: pd.DataFrame
    left_out: list[str]
    common: str
    specs: pd.DataFrame
    values: pd.DataFrame
    references: pd.DataFrame
    curves: pd.DataFrame
    samples: pd.DataFrame
    examples: int
    problems: list[str]


def load(record: StudyRecord) -> Results:
    """Load what a report on a study shows.

    Raises:
        TrackingError: No run has finished, or an artifact of one is missing.
    """
    selection = select(record.runs, evaluated=record.metrics.filter(like="eval/").notna().any(axis=1))
    if selection.runs.empty:
        said = f": {'; '.join(selection.left_out)}" if selection.left_out else ""
        raise TrackingError(f"study {record.name} has no finished run yet{said}")
    names, common = short_names(selection.runs["variant"].tolist())
    runs = selection.runs.assign(variant=selection.runs["variant"].map(names))
    order = {name: place for place, name in enumerate(in_order(runs["variant"].tolist()))}
    runs = runs.sort_values(
        ["variant", "seed"], key=lambda column: column.map(order) if column.name == "variant" else column
    )
    newest = str(runs["started"].idxmax())
    metrics = record.metrics.loc[runs.index]
    specs = record.metric_specs(newest)
    measured = [f"eval/{name}" for name in specs.index] + [
        name for name in map(str, metrics) if name.startswith("cost/")
    ]
    values = (
        metrics[measured]
        .rename(columns=lambda name: name.removeprefix("eval/"))
        .join(runs[["variant", "seed"]])
        .melt(["variant", "seed"], var_name="metric")
    )
    first = runs.drop_duplicates("variant")
    return Results(
        study=record.name,
        question=record.question,
        uri=record.uri,
        runs=runs,
        left_out=selection.left_out,
        common=common,
        specs=specs,
        values=values,
        references=_references(metrics.loc[[newest]].iloc[0]),
        curves=_curves(record, runs),
        samples=pd.concat(
            [record.samples(str(run_id)).assign(variant=run["variant"]) for run_id, run in first.iterrows()]
        ),
        examples=len(record.per_example(newest)),
        problems=record.problems(newest),
    )


def _references(metrics: pd.Series) -> pd.DataFrame:
    rows = []
    for name, value in metrics.items():
        kind, _, rest = str(name).partition("/")
        if kind == "reference":
            reference, _, metric = rest.partition("/")
            rows.append({"reference": reference, "metric": metric, "value": value})
    return pd.DataFrame(rows, columns=["reference", "metric", "value"])


def _curves(record: StudyRecord, runs: pd.DataFrame) -> pd.DataFrame:
    frames = [
        record.curve(str(run_id), metric)
        .rename(columns={"value": "loss"})
        .assign(variant=run["variant"], seed=run["seed"], part=part)
        for run_id, run in runs.iterrows()
        for metric, part in CURVES.items()
    ]
    return pd.concat(frames, ignore_index=True)
