"""Names of what MLflow stores: tags, metrics (`GROUP/NAME`) and artifacts, and which metrics are a run's result."""

from collections.abc import Mapping
from posixpath import normpath

from ablate.system.phase_clock import Phase

TAG_PREFIX = "ablate."
"""Of all tags; `ablate.KIND` is the tag of a study's artifacts of a kind, see `study_artifacts`."""
STUDY_TAG = "ablate.study"
VARIANT_TAG = "ablate.variant"
SEED_TAG = "ablate.seed"
IDENTITY_TAG = "ablate.identity"
CONFIGURATION_TAG = "ablate.configuration"
"""The identity apart from the seed."""
SETTING_TAG = "ablate.setting"
"""Hash of what runs must have in common to be compared; the next three, and the fingerprint, are its parts."""
EXAMPLE_TAG = "ablate.example"
"""What the task calls an example."""
EVALUATION_TAG = "ablate.evaluation"
SCALE_TAG = "ablate.scale"
CODE_TAG = "ablate.code"
NO_RESULT_KEYS_TAG = "ablate.no_result_keys"
"""Keys of the task's configuration that change no result, with spaces between."""
FINGERPRINT_TAG = "ablate.data.fingerprint"
REASON_TAG = "ablate.reason"
"""Why a run has no result, in a word; `ablate.error` has the error's message."""
DIVERGED = "diverged"
"""The reason of a run whose loss became NaN or infinite."""
ERROR_TAG = "ablate.error"
"""The message of the error that ended a run, on one line."""
RESUMABLE_TAG = "ablate.resumable"
"""`true` where the next attempt resumes a run that was interrupted or failed."""
ATTEMPTS_TAG = "ablate.attempts"
ENERGY_TAG = "ablate.energy"
"""How `ENERGY` is known: what of it is measured, and by what, and what is estimated."""
CACHED_FROM_TAG = "ablate.cached_from"
"""The run of another study whose result this one shows."""
ORIGIN_PREFIX = "ablate.origin."
"""Of the tags of a run that was imported: where it was trained, see `origin`."""
ORIGIN_RUN_TAG = "ablate.origin.run"
ORIGIN_EXPERIMENT_TAG = "ablate.origin.experiment"
ORIGIN_STORE_TAG = "ablate.origin.store"
DEFINITION_TAG = "ablate.definition"
"""Of a study's experiment, as the next two: its file, the effects that its design aliases, the question it asks."""
ALIASES_TAG = "ablate.aliases"
QUESTION_TAG = "ablate.question"
REGISTERED_TAG = "ablate.registered"
"""The definition of a study that was written down before its first result, in as many tags as it needs."""
REGISTERED_AT_TAG = "ablate.registered_at"
STAMPS_TAG = "ablate.stamps"
"""Of an experiment: the stamps of its study's definitions, a line each with the date, the newest last."""
SUMMARY_TAG = "ablate.summary"
"""Of an experiment: what the report on its study says, in Markdown."""
TUNING_TAG = "ablate.tuning"
"""Of an experiment: what the search of its study's `tune` tried and chose, as YAML."""
STAMP_TAG = "ablate.stamp"
"""Of a run: the stamp of its study's definition when it began, see `study.stamp`."""
COMMAND_TAG = "ablate.command"
"""The command that trains the run once more."""
METRIC_TAG = "ablate.metric"
"""Of a registered version, as the next: the metric that chose it, the value of its run, and what the report found."""
VALUE_TAG, VERDICT_TAG = "ablate.value", "ablate.verdict"
DIFFERENCE_TAG, INTERVAL_TAG = "ablate.difference", "ablate.interval"
SEEDS_TAG, EXAMPLES_TAG = "ablate.seeds", "ablate.examples"
TYPE_TAG = "ablate.type"
"""`training`, or the kind of a study's artifacts: report, ..."""
TRAINING = "training"
NOTE_TAG = "mlflow.note.content"
"""The description of an experiment or a run that MLflow shows. In an older store a study's question stands there."""
KIND_TAG = "mlflow.experimentKind"
"""Of an experiment: which of its pages MLflow shows; the next is its value for training."""
TRAINING_KIND = "custom_model_development"

_OLD_TAGS = {
    "ablate.goes_on": RESUMABLE_TAG,
    "ablate.sessions": ATTEMPTS_TAG,
    "ablate.reused_from": CACHED_FROM_TAG,
}


def current_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a run's tags by the names of today: stores made before version 0.2 have others for some."""
    renamed = {_OLD_TAGS[name]: value for name, value in tags.items() if name in _OLD_TAGS}
    return {**renamed, **{name: value for name, value in tags.items() if name not in _OLD_TAGS}}


def all_names(tag: str) -> list[str]:
    """Return the names that a tag has or had, that of today first."""
    return [tag, *(old for old, current in _OLD_TAGS.items() if current == tag)]


_OLD_METRICS = {
    "cost/flops_per_image": "cost/flops_per_example",
    "cost/images_per_second": "cost/examples_per_second",
}


def current_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return a run's metrics by the names of today, as `current_tags` does for its tags."""
    return {_OLD_METRICS.get(name, name): value for name, value in metrics.items()}


def stored_tags(name: str) -> tuple[str, ...]:
    """Return all names under which a tag may be stored."""
    return (name, *(old for old, new in _OLD_TAGS.items() if new == name))


FACTOR_GROUP = "factor"
"""Of params: the level of each factor of the run's study."""
EVALUATION_GROUP = "eval"
COST_GROUP = "cost"
DATA_GROUP = "data"
REFERENCE_GROUP = "reference"
TRAINING_GROUP, VALIDATION_GROUP = "train", "val"
TRAINING_LOSS = "train/loss"
LEARNING_RATE = "train/learning_rate"
VALIDATION_LOSS = "val/loss"
PARAMETERS = "cost/parameters"
FLOPS = "cost/flops_per_example"
WALL_SECONDS = "cost/wall_seconds"
EXAMPLES_PER_SECOND = "cost/examples_per_second"
PEAK_MEMORY = "cost/peak_memory_mib"
PEAK_DEVICE_MEMORY = "cost/peak_device_memory_mib"
GRADIENT_MEMORY = "cost/gradient_memory_mib"
OPTIMIZER_MEMORY = "cost/optimizer_memory_mib"
ENERGY = "cost/energy_kwh"
"""Over all attempts, from data to tracking."""
PHASE_SECONDS = {phase: f"cost/time/{phase}_seconds" for phase in Phase}
"""The seconds of each phase, over all attempts: together the wall time of a run."""
PREDICTED_SECONDS = "plan/predicted_seconds"
SECONDS = "plan/seconds"
"""What the estimate predicts: loading, training and evaluating."""
EXAMPLES = "plan/examples"
"""Examples that a run trained on, each as often as it came."""
UNUSABLE_FILES, IGNORED_FILES = "data/bad", "data/ignored"
EVALUATED = ["data/evaluation", "data/eval"]
"""The number of examples that evaluate, where a task says it so."""
LEAKED = "data/leaked"
"""Evaluation examples that train as well."""

_CIRCUMSTANCES = frozenset({COST_GROUP, "plan", "system", "turing"})
"""Groups that are no results: what a run took, what was predicted, the machine's load, and a human evaluation.

All others are (`train`, `val`, `eval`, `reference`, `data`), with no need to be named: a group that is new and not
declared here has to be the same to the last bit in every repetition, which the tests check; of a list of results it
would be missing, and nobody would notice.
"""

CONFIG_FILE = "config.yaml"
TRACEBACK_FILE = "traceback.txt"
WEIGHTS_FILE = "model.weights.h5"
"""The weights of a model that could not be tracked whole."""
MODEL_FILE = "model.keras"
"""The model of a run in an archive, as Keras saves it."""
SERVED_FILE = "served.json"
"""In the folder of a model, how it is served, see `served_model`."""
SERVED_MODEL_FILE = "model.served.json"
"""The same in an archive, beside the model."""
CARD_FILE = "model_card.md"
PROBLEMS_FILE = "data/problems.txt"
PROVENANCE_FOLDER = "provenance"
ENVIRONMENT_FILE = "provenance/environment.json"
"""The machine, devices and versions of packages of a run's first attempt."""
UNCOMMITTED_FILE = "uncommitted.diff"
"""In the folder of an attempt, see `provenance_folder`: the changes that it was trained with and no commit has."""
CODE_FILE = "provenance/code.json"
"""The modules and libraries that a run's result depends on, see `ablate.execution.code_version.Code`."""
EVALUATION_FOLDER = "evaluation"
METRIC_SPECS_FILE = "evaluation/metrics.json"
PER_EXAMPLE_FILE = "evaluation/per_example.parquet"
SAMPLES_FILE = "evaluation/samples.parquet"
REPLICATES_FILE = "evaluation/replicates.parquet"
DISTRIBUTION_FILE = "evaluation/distribution.parquet"


def provenance_folder(attempt: str) -> str:
    """Return the folder of what an attempt of a run says of where it comes from."""
    return PROVENANCE_FOLDER if attempt == "1" else f"{PROVENANCE_FOLDER}/attempt-{attempt}"


def metric_name(group: str, name: str) -> str:
    """Return the name of a metric of a group."""
    return f"{group}/{name}"


def factor_param(factor: str) -> str:
    """Return the name of a factor's param: without Hydra's `+`, and with what MLflow takes in place of `@`."""
    return f"{FACTOR_GROUP}/{normpath(factor.lstrip('+').replace('@', ':'))}"


def is_factor(param: str) -> bool:
    """Return whether a param is a factor's, not a key of the configuration."""
    return group_of(param) == FACTOR_GROUP


def group_of(metric: str) -> str:
    """Return a metric's group, the part of its name before the first slash."""
    return metric.partition("/")[0]


def is_result(metric: str) -> bool:
    """Return whether a metric is determined by its run's identity, on every machine and after every interruption."""
    return group_of(metric) not in _CIRCUMSTANCES
