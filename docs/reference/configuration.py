"""The page of the configuration: every key and level, from the schemas and from the comments of `conf/`."""

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from ablate.cli.command_line import CommandLine
from ablate.colorization.config import ColorizationConfig
from ablate.config.optimizers import SCHEMAS, OptimizerConfig
from ablate.config.paths import conf_dir
from ablate.config.project import ProjectConfig
from ablate.config.schedules import SCHEDULES, ScheduleConfig
from ablate.config.sections import RunConfig
from ablate.config.validation import validate_config
from ablate.study.definition import StudyFile

Field = Mapping[str, Any]
"""A part of a JSON schema."""

HEAD = """\
# Configuration

Every key and level of the task that ships, with its default. `KEY=VALUE` and `GROUP=LEVEL` on the command line
override them, as Hydra has it; `python -m ablate.run --help` shows them as the current folder's project has them, and
`python -m ablate.run --cfg job` a whole configuration. An unknown key, an impossible value and a contradiction are
refused before anything trains.

The sections from `study` to `checkpoint` are those of every task; `data` and the following belong to colourisation,
and a task of your own has sections of its own.
Which of them are part of a result's identity: [identity](../identity.md).
"""
STUDY_HEAD = """\
## Study files

`experiments/NAME.yaml`, for `experiment=NAME`. The file's name is the study's name unless it says another.
"""
PROJECT_HEAD = """\
## The table `[tool.ablate]`

In the `pyproject.toml` of a project, by which commands find it; see [projects](../runs.md#projects).
"""
SAYS = {
    "training.epochs": "passes over the training examples; set by `scale`",
    "training.batch_size": "examples of a step; set by `scale`",
    "optimizer._target_": "the class, any optimiser of Keras",
    "optimizer.learning_rate": "set by `scale`, for each optimiser at a rate that was searched for it",
    "optimizer.weight_decay": "decoupled weight decay",
    "optimizer.clipnorm": "the norm to which the gradient of each weight is clipped",
    "optimizer.clipvalue": "the value to which gradients are clipped",
    "optimizer.global_clipnorm": "the norm to which all gradients together are clipped",
    "optimizer.loss_scale_factor": "what the loss is multiplied by, and gradients divided by",
    "optimizer.gradient_accumulation_steps": "steps of which the gradients are averaged before weights change",
    "optimizer.beta_1": "decay of the mean of gradients",
    "optimizer.beta_2": "decay of the mean of squared gradients",
    "optimizer.epsilon": "added to a divisor",
    "optimizer.amsgrad": "whether the largest mean of squared gradients counts",
    "optimizer.rho": "decay of both means",
    "optimizer.momentum": "share of the last step in the next",
    "optimizer.nesterov": "whether momentum is Nesterov's",
    "schedule.shape": "how the learning rate changes with the step",
    "schedule.floor": "share of the learning rate that is left at the end",
    "data.name": "where photographs come from: the group's levels",
    "data.root": "folder or archive of photographs, or a prepared set",
    "data.dataset": "name in TensorFlow Datasets, for `data=tfds`",
    "regularizer.l2": "factor of the L2 penalty on all kernels, as strong beside the loss as the paper's",
    "depth.blocks": "the blocks of convolutions, in order",
    "dropout.rate": "share of the channels that are dropped",
    "evaluation.batch_size": "photographs that are evaluated at once",
}
"""Of keys that no comment explains."""
STUDY_SAYS = {
    "name": "of the study, its experiment in MLflow and its folders",
    "question": "what the study asks; the report begins with it",
    "baseline": "one level of every factor",
    "factors": "by group or key, the levels",
    "design": "how variants come from the factors: [studies](../studies.md)",
    "resolution": "of a fractional design: 3, main effects are not mixed up with each other; 4, nor with interactions "
    "of two; 5, nor those among themselves",
    "variants": "by any name, further combinations of levels",
    "seeds": "the seeds of every variant, or `looks`",
    "seeds.looks": "numbers of seeds at which the study looks at its results, and continues with what is undecided",
    "seeds.first": "the first seed",
    "baseline_seeds": "more seeds for the baseline, which is in every comparison",
    "metric": "the metric that answers the question",
    "metric.name": "as the task calls it",
    "metric.direction": "which way is better",
    "metric.margin": "the difference below which two variants count as equivalent",
    "budget_hours": "hours that the study may take: `plan` says where its estimate is above them",
    "tune": "a search of values for each variant before its runs, by equal budgets",
    "tune.grid": "by key, the values to try: a list, or a list for each level of a factor",
    "tune.seeds": "the seeds of the search, none of the study's",
    "tune.fraction": "share of the training examples that judge, and do not train in the search",
}
VALUES = {
    "hardware.precision": "`float32`, `mixed_bfloat16`, `mixed_float16` or `auto`",
    "hardware.devices": "`null`, `cpu`, `cpu:N` or a number of GPUs",
    "schedule.drops": "list of: `[place, factor]`",
}
"""Of keys whose schema says less, or more, than a user may write."""
SCALE = {
    "scale.name": "the level",
    "scale.learning_rates": "by optimiser, the learning rate at this scale",
    "scale.searched": "by optimiser, the rates that were tried: [learning rates](../learning-rates.md)",
}
_PLAIN = ("seed", "experiment", "check", "validation_fraction", "rerun")


def page() -> str:
    """Return the page."""
    general = (comments(conf_dir() / f"{name}.yaml") for name in ("base", "config"))
    said = {**_comments_of_levels(), **{key: text for each in general for key, text in each.items()}, **SAYS}
    found = dict(_keys_of_a_run())
    defaults = validate_config(CommandLine(["--config-path", str(conf_dir())]).compose()).values
    lines = [HEAD, "## Keys without a section", "", *_table({key: found[key] for key in _PLAIN}, said, defaults)]
    for section in [*RunConfig.model_fields, *ColorizationConfig.model_fields]:
        own = {key: field for key, field in found.items() if key.startswith(f"{section}.")}
        if own:
            lines += ["", f"## `{section}`", "", *_levels(section), *_table(own, said, defaults)]
    lines += ["", "## `scale`", "", *_levels("scale"), "| key | what it is |", "| --- | --- |"]
    lines += [f"| `{key}` | {says} |" for key, says in SCALE.items()]
    lines += ["", "## `task`", "", *_levels("task"), f"`task._target_`: {said['task._target_']}."]
    lines += ["", "## `hydra/launcher`", "", *_levels("hydra/launcher"), "More: [launchers](../launchers.md)."]
    lines += ["", STUDY_HEAD, *_table(dict(keys_of(StudyFile)), STUDY_SAYS, None)]
    table = {f"{key}": field for key, field in keys_of(ProjectConfig)}
    return "\n".join([*lines, "", PROJECT_HEAD, *_table(table, attributes(ProjectConfig), None), ""])


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Return all keys of a schema by their full names, each with its part of the JSON schema."""
    schema = model.model_json_schema()
    yield from _keys(schema, prefix, schema.get("$defs", {}))


def comments(file: Path, *, above: bool = True) -> dict[str, str]:
    """Return what a file's comments say of its keys: beside a key and on from there or, where nothing is, above it."""
    said, path, key, before = dict[str, str](), list[str](), "", list[str]()
    for line in file.read_text(encoding="utf-8").splitlines():
        bare = line.strip()
        if bare.startswith("#") and line.startswith(" " * 20):
            said[key] += f" {bare[1:].strip()}"
        elif bare.startswith("#"):
            before.append(bare[1:].strip())
        elif match := re.match(r"( *)(\w+):(.*)", line):
            path = [*path[: len(match[1]) // 2], match[2]]
            key = ".".join(path)
            beside = re.search(r"\s#\s*(.*)$", match[3])
            text = beside[1] if beside else " ".join(before) if above else ""
            if text:
                said[key] = text
            before = []
        else:
            before = []
    return said


def attributes(model: type[BaseModel]) -> dict[str, str]:
    """Return what a schema's docstring says of its attributes."""
    listed = inspect.cleandoc(model.__doc__ or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", listed, re.M)
    return {name: _in_a_table(text) for name, text in found}


def _in_a_table(text: str) -> str:
    text = " ".join(text.split()).rstrip(".").replace("None:", "null:")
    return text[0].lower() + text[1:]


def _keys_of_a_run() -> Iterator[tuple[str, Field]]:
    """Return the keys of the framework and of the task; of optimisers and schedules those of all of them."""
    unions = {"optimizer": (OptimizerConfig, *SCHEMAS.values()), "schedule": (ScheduleConfig, *SCHEDULES.values())}
    for key, field in keys_of(RunConfig):
        if key.partition(".")[0] not in unions:
            yield key, field
    for section, models in unions.items():
        for model in models:
            yield from keys_of(model, f"{section}.")
    yield from keys_of(ColorizationConfig)


def _comments_of_levels() -> dict[str, str]:
    """Return what stands beside keys in the files of levels, and what schemas say of their attributes."""
    said = {f"optimizer.{name}": text for name, text in attributes(OptimizerConfig).items()}
    for group in _groups():
        for file in _files(group):
            said.update({f"{group}.{key}": text for key, text in comments(file, above=False).items()})
    blocks = ColorizationConfig.model_fields["depth"].annotation.model_fields["blocks"].annotation.__args__[0]
    return said | {f"depth.blocks.N.{name}": text for name, text in attributes(blocks).items()}


def _keys(schema: Field, prefix: str, definitions: Mapping[str, Field]) -> Iterator[tuple[str, Field]]:
    for name, given in schema["properties"].items():
        key, field = f"{prefix}{name}", _resolved(given, definitions)
        if "properties" in field:
            yield from _keys(field, f"{key}.", definitions)
            continue
        yield key, {**field, "values": _values(field, definitions)}
        for choice in (field, *field.get("anyOf", ()), *field.get("oneOf", ())):
            inner, items = _resolved(choice, definitions), _resolved(choice.get("items") or {}, definitions)
            if "properties" in inner:
                yield from _keys(inner, f"{key}.", definitions)
            if "properties" in items:
                yield from _keys(items, f"{key}.N.", definitions)


def _resolved(field: Field, definitions: Mapping[str, Field]) -> Field:
    reference = field.get("$ref") if isinstance(field, Mapping) else None
    return {**definitions[reference.rpartition("/")[2]], **field} if reference else field


def _values(given: Field, definitions: Mapping[str, Field]) -> str:
    """Return in words what a part of a schema allows."""
    field = _resolved(given, definitions)
    choices = field.get("anyOf") or field.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_values(choice, definitions) for choice in choices))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type")
    if kind in ("integer", "number"):
        return _number(field, whole=kind == "integer")
    if kind == "array":
        items = _values(field["items"], definitions) if field.get("items") else "anything"
        return f"list of: {items}"
    words = {"null": "`null`", "boolean": "`true`, `false`", "object": "keys and values", "string": "text"}
    return "a path" if field.get("format") == "path" else words.get(str(kind), "anything")


def _number(field: Field, *, whole: bool) -> str:
    bounds = []
    if "exclusiveMinimum" in field:
        bounds.append(f"from {field['exclusiveMinimum'] + 1}" if whole else f"above {field['exclusiveMinimum']:g}")
    if "minimum" in field:
        bounds.append(f"from {field['minimum']:g}")
    if "maximum" in field:
        bounds.append(f"to {field['maximum']:g}")
    if "exclusiveMaximum" in field:
        bounds.append(f"below {field['exclusiveMaximum']:.10g}")
    return " ".join(["a whole number" if whole else "a number", *bounds])


def _table(found: Mapping[str, Field], said: Mapping[str, str], defaults: Mapping[str, Any] | None) -> list[str]:
    """Return the table of some keys.

    Args:
        found: The keys.
        said: What each is; `name` alone may be missing, which is the level's.
        defaults: The configuration of the defaults; None for those of the schema.
    """
    lines = ["| key | default | values | what it is |", "| --- | --- | --- | --- |"]
    for key, field in found.items():
        says = said.get(key) or ("name of the level" if key.endswith(".name") else said[key])
        says = re.sub(r"docs/([\w-]+)\.md", r"[\1](../\1.md)", says)
        default = _default(key, field, defaults)
        values = VALUES.get(key, field["values"])
        lines.append(f"| `{key}` | {default} | {values} | {says} |".replace("\n", " "))
    return lines


def _default(key: str, field: Field, defaults: Mapping[str, Any] | None) -> str:
    value: Any = defaults
    for part in key.split(".") if defaults is not None else ():
        value = value.get(part, ...) if isinstance(value, Mapping) else ...
    if value is None and defaults is not None:
        return "`null`"
    if defaults is None or value is ...:
        if "default" not in field:
            return ""
        value = field["default"]
    if isinstance(value, list | dict):
        return "" if key == "depth.blocks" else f"`{yaml.safe_dump(value, default_flow_style=True).strip()}`"
    return f"`{str(value).lower() if isinstance(value, bool) else 'null' if value is None else value}`"


def _groups() -> list[str]:
    return sorted(folder.name for folder in conf_dir().iterdir() if folder.is_dir() and folder.name != "hydra")


def _files(group: str) -> list[Path]:
    return sorted((conf_dir() / group).glob("*.yaml"))


def _levels(group: str) -> list[str]:
    """Return the table of a group's levels; nothing for a section that is no group."""
    files = _files(group)
    if not files:
        return []
    chosen = _default_levels()
    lines = ["| level | what it is |", "| --- | --- |"]
    for file in files:
        level = f"{group}={file.stem}"
        name = f"**`{level}`**" if chosen.get(group) == file.stem else f"`{level}`"
        link = f"[{name}](../../conf/{file.relative_to(conf_dir()).as_posix()})"
        lines.append(f"| {link} | {opening(file)} |")
    return [*lines, "", "The level in bold is the default.", ""]


def _default_levels() -> dict[str, str]:
    """Return the level of each group in the configuration of the defaults."""
    chosen: dict[str, str] = {}
    for name in ("base", "config"):
        listed = yaml.safe_load((conf_dir() / f"{name}.yaml").read_text(encoding="utf-8"))["defaults"]
        for entry in listed:
            if isinstance(entry, Mapping):
                chosen.update({key.removeprefix("override ").lstrip("/"): level for key, level in entry.items()})
    return chosen


def opening(file: Path) -> str:
    """Return the first sentence of the comment that a file opens with."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("# @package")]
    text = ""
    for line in lines:
        if not line.startswith("#") or line.startswith("#  "):
            break
        text += f" {line[1:].strip()}"
    first = re.split(r"(?<=\.)\s", text.strip())[0].rstrip(":.") + "."
    return re.sub(r" \(docs/[\w-]+\.md\)", "", first)
