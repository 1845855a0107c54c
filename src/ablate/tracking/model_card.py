"""The model card of a run, in Markdown: what was trained on what, how well it does, how to use it, and its limits."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow.entities import Run

from ablate.config.short_names import shorten
from ablate.system.energy_meter import energy_kind, methods_of
from ablate.task import ServedModel
from ablate.tracking import names
from ablate.tracking.notes import escaped, table
from ablate.tracking.provenance import package_versions
from ablate.tracking.run_text import (
    code_block,
    command_block,
    difference,
    metric_heading,
    model_address,
    number,
    time_taken,
)

_RECIPE = ("scale.name", "optimizer.", "schedule.", "training.", "seed", "validation_fraction", "hardware.precision")
"""Keys, and beginnings of keys, of the configuration that say how a network was trained."""
_COSTS = {
    names.PARAMETERS: ("parameters", "{:,.0f}"),
    names.FLOPS: ("FLOPs of one {example}", "{:,.0f}"),
    names.WALL_SECONDS: ("training, s", "{:,.1f}"),
    names.EXAMPLES_PER_SECOND: ("{example}s a second while training", "{:,.1f}"),
    names.PEAK_MEMORY: ("peak memory, MiB", "{:,.0f}"),
    names.PEAK_DEVICE_MEMORY: ("peak memory of a device, MiB", "{:,.0f}"),
}
_MACHINE = ("devices", "precision", "deterministic", "python")


def model_card(
    run: Run,
    study: str,
    baseline: Run | None,
    specs: Sequence[Mapping[str, Any]],
    *,
    question: str | None,
    kept: bool,
    served: ServedModel | None,
    limitations: Sequence[str],
) -> str:
    """Describe what a run trained.

    Args:
        run: The run, which has been evaluated.
        study: Its study.
        baseline: The finished run of the baseline with its seed; None where there is none, or it is the run itself.
        specs: What the metrics mean: `name`, `label`, `unit`, `higher_is_better`, `description`.
        question: What the study asks; None where it does not say.
        kept: Whether the model was kept.
        served: How it is served; None for Keras' arrays.
        limitations: Sentences of the task.
    """
    parts = {
        f"# {escaped(study)}: {escaped(shorten(run.data.tags[names.VARIANT_TAG]))}": _what(
            run, study, baseline, question
        ),
        "## Data": _data(run),
        "## Recipe": _recipe(run),
        "## Results": _results(run, specs),
        "## Costs": _costs(run),
        "## Use": _use(run, served) if kept else "The model was not kept: `tracking.model=true` keeps it.",
        "## Limits": "\n".join(f"- {line}" for line in [*_limits(run, study), *_beaten(run, specs), *limitations]),
        "## Versions": _versions(run),
    }
    return "\n\n".join(f"{heading}\n\n{text}" for heading, text in parts.items() if text) + "\n"


def _what(run: Run, study: str, baseline: Run | None, question: str | None) -> str:
    task = run.data.params.get("task._target_", "").rpartition(".")[2]
    asked = f", which asks: {escaped(question)}" if question else "."
    lines = [
        f"A network that `{task}` trained, one run of the study {escaped(study)}{asked}",
        difference(run, baseline),
        f"Run `{run.info.run_id}`, identity `{run.data.tags.get(names.IDENTITY_TAG, '')}`. In a store that it was "
        f"imported into it has another id, and this one as its tag `{names.ORIGIN_RUN_TAG}`.",
    ]
    return "\n\n".join(lines)


def _data(run: Run) -> str:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    rows = [
        [escaped(each.dataset.name), next((tag.value for tag in each.tags), ""), _counts(each.dataset.profile)]
        for each in inputs
    ]
    fingerprint = run.data.tags.get(names.FINGERPRINT_TAG, "")
    return "\n\n".join(
        filter(None, [table(["data set", "for", "examples"], rows) if rows else "", f"Fingerprint `{fingerprint}`."])
    )


def _counts(profile: str | None) -> str:
    counts = json.loads(profile) if profile else {}
    return ", ".join(f"{escaped(name)} {count:,}" for name, count in counts.items())


def _recipe(run: Run) -> str:
    rows = [
        [f"`{key}`", escaped(value)]
        for key, value in sorted(run.data.params.items())
        if key.startswith(_RECIPE) and value != "None"
    ]
    parts, command = [table(["key", "value"], rows)], run.data.tags.get(names.COMMAND_TAG)
    if command:
        parts += ["All that differs from the defaults, as the command that trains it again:", command_block(command)]
    return "\n\n".join(parts)


def _results(run: Run, specs: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of metrics, with the trivial baselines that every model has to beat."""
    own, references = _values(run)
    rows = [
        [metric_heading(spec), *(number(of[name]) if name in of else "" for of in (own, *references.values()))]
        for spec in specs
        for name in [str(spec["name"])]
        if name in own
    ]
    said = [
        f"- {escaped(str(spec['label']))}: {escaped(str(spec['description']))}"
        for spec in specs
        if spec.get("description")
    ]
    beside = ["Beside trivial baselines, which every model has to beat."] if references else []
    return "\n\n".join([*beside, table(["", "this model", *map(escaped, references)], rows), "\n".join(said)]).strip()


def _values(run: Run) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return the metrics of a run, and those of each trivial baseline."""
    own, references = dict[str, float](), dict[str, dict[str, float]]()
    for name, value in sorted(names.current_metrics(run.data.metrics).items()):
        group, _, rest = name.partition("/")
        if group == names.EVALUATION_GROUP:
            own[rest] = value
        elif group == names.REFERENCE_GROUP:
            reference, _, metric = rest.partition("/")
            references.setdefault(reference, {})[metric] = value
    return own, references


def _beaten(run: Run, specs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say by which metrics each trivial baseline is better than the model, a line each."""
    own, references = _values(run)
    lines = []
    for reference, values in references.items():
        better = [
            str(spec["label"])
            for spec in specs
            for name in [str(spec["name"])]
            if spec["higher_is_better"] is not None
            and name in own
            and name in values
            and (values[name] > own[name] if spec["higher_is_better"] else values[name] < own[name])
        ]
        if better:
            lines.append(f"{escaped(', '.join(better))}: the trivial baseline {escaped(reference)} is better.")
    return lines


def _costs(run: Run) -> str:
    metrics, example = names.current_metrics(run.data.metrics), run.data.tags.get(names.EXAMPLE_TAG, "example")
    rows = [
        [label.format(example=example), shown.format(metrics[name])]
        for name, (label, shown) in _COSTS.items()
        if name in metrics
    ]
    method = run.data.tags.get(names.ENERGY_TAG)
    if method and names.ENERGY in metrics:
        rows.append([f"energy, {energy_kind(methods_of(method))}, Wh", f"{1000 * metrics[names.ENERGY]:.3g}"])
    said = f"Energy: {method}." if method else ""
    return "\n\n".join(filter(None, [table(["", ""], rows) if rows else "", time_taken(run), said]))


def _use(run: Run, served: ServedModel | None) -> str:
    address = model_address(run)
    network = code_block(["import mlflow", "", f'network = mlflow.tensorflow.load_model("{address}")'])
    if served is None:
        return f"The network, of Keras:\n\n{network}"
    takes = ", ".join(f"`{name}` ({kind})" for name, kind in served.inputs.items())
    given = ", ".join(f"`{name}` ({value!r} where a request does not say)" for name, value in served.params.items())
    model = code_block(
        [
            "import mlflow",
            "",
            f'model = mlflow.pyfunc.load_model("{address}")',
            f"model.predict(model.input_example, params={dict(served.params)!r})",
        ]
    )
    server = code_block([f"mlflow models serve --env-manager local -m {address} -p 5001"])
    request = code_block(
        [
            "curl -s -H 'Content-Type: application/json' -d @serving_input_example.json \\",
            "    http://127.0.0.1:5001/invocations",
        ]
    )
    return "\n\n".join(
        [
            f"The model. It takes {takes}; parameters: {given}.",
            model,
            "The same over HTTP, with the example that lies beside the model:",
            server,
            request,
            "The network alone, of Keras:",
            network,
        ]
    )


def _limits(run: Run, study: str) -> list[str]:
    """Return what holds of every run."""
    metrics, example = run.data.metrics, run.data.tags.get(names.EXAMPLE_TAG, "example")
    counts = [int(metrics[name]) for name in names.EVALUATED if name in metrics]
    lines = [
        f"One network, trained with one seed: another seed gives other values. The report on {escaped(study)} says by "
        "how much, where the study has several."
    ]
    if counts:
        lines.append(f"Evaluated on {counts[0]:,} examples ({escaped(example)}): on others its values are others.")
    leaked = int(metrics.get(names.LEAKED, 0))
    if leaked:
        lines.append(f"Of these, {leaked:,} train as well: the values flatter.")
    held = run.data.params.get("validation_fraction", "None")
    if held != "None":
        lines.append(f"These are a share of {held} of the training examples, which did not train.")
    return lines


def _versions(run: Run) -> str:
    tags = run.data.tags
    known = [(name, tags.get(f"{names.TAG_PREFIX}{name}", "")) for name in ("commit", "code", *_MACHINE)]
    rows = [[name, escaped(value)] for name, value in [*package_versions().items(), *known] if value]
    return table(["", ""], rows)
