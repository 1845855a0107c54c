"""The page of what is stored: metrics, params, tags and files, from the names in the code."""

from collections.abc import Iterable, Mapping

from ablate.colorization.classifier import CLASSIFIER_ACCURACY
from ablate.colorization.metrics import METRICS
from ablate.system.phase_clock import Phase
from ablate.task import Metric
from ablate.tracking import names

HEAD = """\
# Metrics, tags and files

What runs and studies leave behind: in MLflow, where everything that a report shows is, and in the folder of results.
How they appear in MLflow's pages: [runs](../runs.md#in-mlflow).
"""
EVALUATION = """\
### Results: `eval/` and `reference/`

`eval/METRIC` is the value of a model over all examples that evaluate. `reference/BASELINE/METRIC` is that of a
trivial baseline: for colourisation `grey`, no colour at all, `mean_color`, the mean colour of the training
photographs, and for the classifier's metric `truth` as well. The metrics are the task's. Those of colourisation:
"""
OWN_TASKS = "A task of your own has the `measures` that it declares: [your own model](../your-own-model.md#the-task)."
CURVES = {
    names.TRAINING_LOSS: "loss on the training examples, at `training.log_points` points of training",
    names.LEARNING_RATE: "the learning rate at these points",
    names.VALIDATION_LOSS: "loss on the examples that evaluate, after each epoch",
    "train/NAME, val/NAME": "what a task's own loop or callbacks report",
}
COSTS = {
    names.PARAMETERS: "weights that are trained",
    names.FLOPS: "floating-point operations of the forward pass of one example",
    names.WALL_SECONDS: "seconds of training, over all attempts, without evaluation",
    names.EXAMPLES_PER_SECOND: "examples trained on per second, without compilation and validation",
    names.PEAK_MEMORY: "most memory that the process occupied, MiB",
    names.PEAK_DEVICE_MEMORY: "most memory that TensorFlow held on all GPUs, MiB; where there are any",
    names.GRADIENT_MEMORY: "memory of one set of gradients, MiB",
    names.OPTIMIZER_MEMORY: "memory of the optimiser's state, MiB",
    names.ENERGY: "energy, kWh, over all attempts: [measured or estimated](../runs.md#energy), as the tag "
    f"`{names.ENERGY_TAG}` says",
}
PHASES = {
    Phase.START: "imports, configuration, lease, hardware",
    Phase.DATA: "finding and loading the data",
    Phase.COMPILE: "building the model; the first batch of training and of validation, beyond what the next one takes",
    Phase.TRAINING: "steps, what feeds them, and the task's callbacks",
    Phase.VALIDATION: "after epochs",
    Phase.EVALUATION: "of the trained model",
    Phase.TRACKING: "what goes to the store, checkpoints and the model",
}
PLANS = {
    names.PREDICTED_SECONDS: "what the estimate said when the run began",
    names.SECONDS: "what it predicts: loading, training and evaluating",
    names.EXAMPLES: "examples trained on, each as often as it came",
}
DATA = {
    "data/train": "examples that train",
    ", ".join(names.EVALUATED): "examples that evaluate: one of the two, by the task",
    names.UNUSABLE_FILES: "files that cannot be used",
    names.IGNORED_FILES: "files that neither train nor evaluate",
    names.LEAKED: "examples that evaluate and train as well",
}
SYSTEM = {
    "system/cpu_utilization_percentage": "of all cores",
    "system/system_memory_usage_megabytes": "of the machine",
    "system/system_memory_usage_percentage": "the same, of all that it has",
    "system/disk_usage_megabytes": "of the disk",
    "system/disk_usage_percentage": "the same, of all that it has",
    "system/disk_available_megabytes": "what is free",
    "system/network_receive_megabytes": "since the run began",
    "system/network_transmit_megabytes": "since the run began",
    "system/gpu_N_utilization_percentage": "of each GPU, as the next",
    "system/gpu_N_memory_usage_megabytes": "its memory",
    "system/gpu_N_memory_usage_percentage": "the same, of all that it has",
    "system/gpu_N_power_usage_watts": "its power",
    "system/gpu_N_power_usage_percentage": "the same, of its limit",
}
TURING = {
    "turing/fooling_rate": "how often people took the model's pictures for real, %",
    "turing/fooling_rate_low": "lower end of its interval",
    "turing/fooling_rate_high": "upper end of its interval",
    "turing/rating": "mean rating of the model's pictures, in a rating design",
    "turing/rating_low": "lower end of its interval",
    "turing/rating_high": "upper end of its interval",
    "turing/participants": "how many people judged",
}
RUN_TAGS = {
    names.STUDY_TAG: "the study's name",
    names.VARIANT_TAG: "the variant's name: its differences from the baseline",
    names.SEED_TAG: "the seed",
    names.IDENTITY_TAG: "hash of all that determines the result: [identity](../identity.md)",
    names.CONFIGURATION_TAG: "the identity apart from the seed",
    names.SETTING_TAG: "hash of what runs must have in common to be compared",
    names.EXAMPLE_TAG: "what the task calls an example",
    names.EVALUATION_TAG: "how the run was evaluated",
    names.SCALE_TAG: "the level of `scale`, where the task has one",
    names.CODE_TAG: "version of the code that the result depends on",
    names.NO_RESULT_KEYS_TAG: "keys of the task's configuration that change no result",
    names.FINGERPRINT_TAG: "hash of the contents of the data",
    names.COMMAND_TAG: "the command that trains the run once more",
    names.STAMP_TAG: "hash of the study's file when the run began",
    names.TYPE_TAG: "`training`, or what an artifact of the study is: `report`, `turing`",
    names.ATTEMPTS_TAG: "how many processes have trained it",
    names.RESUMABLE_TAG: "`true` where the next attempt resumes it",
    names.REASON_TAG: "why it has no result, in a word: `diverged`, or the error's class",
    names.ERROR_TAG: "the error's message",
    names.ENERGY_TAG: "how its energy is known: what is measured, by which counters, and what is estimated",
    names.CACHED_FROM_TAG: "the run of another study whose result this one shows",
    names.ORIGIN_RUN_TAG: "of an imported run: its id where it was trained",
    names.ORIGIN_EXPERIMENT_TAG: "the experiment there",
    names.ORIGIN_STORE_TAG: "the store there",
    "ablate.host": "the machine's name",
    "ablate.platform": "its operating system",
    "ablate.python": "Python's version",
    "ablate.commit": "the commit of the project, or `none`",
    "ablate.devices": "what it was trained on",
    "ablate.driver": "of the GPU, where there is one",
    "ablate.compile": "`xla` or `graph`",
    "ablate.threads": "threads of an operation",
    "ablate.precision": "of the network",
    "ablate.onednn": "`1` where oneDNN's kernels were allowed",
    "ablate.deterministic": "`true` where operations had to be",
    "ablate.described": "digest of the description that `ablate` wrote: another description is a person's, and stays",
}
STUDY_TAGS = {
    names.DEFINITION_TAG: "the study's file",
    names.QUESTION_TAG: "the question it asks",
    names.ALIASES_TAG: "the effects that its design aliases",
    names.REGISTERED_TAG: "the definition that was written down before the first result",
    names.REGISTERED_AT_TAG: "when that was",
    names.STAMPS_TAG: "the stamps of its definitions, a line each with the date",
    names.SUMMARY_TAG: "what the report says",
    names.TUNING_TAG: "what the search of `tune` tried and chose",
    names.NOTE_TAG: "the description that MLflow shows, of an experiment or a run",
    names.KIND_TAG: "which pages MLflow shows for it",
}
VERSION_TAGS = {
    names.METRIC_TAG: "the metric that chose it",
    names.VALUE_TAG: "its run's value of it",
    names.VERDICT_TAG: "what the report says of its variant",
    names.DIFFERENCE_TAG: "the variant's difference from the baseline",
    names.INTERVAL_TAG: "the interval of that, simultaneous, as in the report",
    names.SEEDS_TAG: "the variant's seeds",
    names.EXAMPLES_TAG: "how many examples evaluated it",
}
ARTIFACTS = {
    names.CONFIG_FILE: "the resolved configuration",
    names.CARD_FILE: "the model card: [runs](../runs.md#model-card)",
    names.METRIC_SPECS_FILE: "label, unit and direction of each metric",
    names.PER_EXAMPLE_FILE: "the metrics of each example, a row each: what pairs runs with each other",
    names.SAMPLES_FILE: "pictures of some examples: `kind` (given, truth, output), `example`, `picture`",
    names.DISTRIBUTION_FILE: "distribution of the outputs and of the truth, where the task has one",
    names.REPLICATES_FILE: "metrics of the whole set on bootstrapped examples, where the task has such metrics",
    f"{names.EVALUATION_FOLDER}/NAME.png": "what the task draws of its evaluation",
    names.ENVIRONMENT_FILE: "machine, devices and versions of packages; of later attempts in `provenance/attempt-N/`",
    names.CODE_FILE: "the modules and libraries that the result depends on",
    "provenance/uncommitted.diff": "what was not committed, where something was not",
    names.PROBLEMS_FILE: "what was left out of the data, and why",
    names.TRACEBACK_FILE: "of a run that failed",
    names.WEIGHTS_FILE: "the weights of a model that MLflow could not take whole",
    f"model/data/{names.MODEL_FILE}": "the trained model, as Keras saves it, in a folder that MLflow loads",
    names.SERVED_FILE: "in the model's folder: how it is served",
    f"{names.MODEL_FILE}, {names.SERVED_MODEL_FILE}": "the same two in an archive",
}
RESULTS = {
    "mlflow.db": "the store: runs, params, metrics, tags",
    "mlartifacts/": "the artifacts of runs",
    "checkpoints/IDENTITY/": "what is not finished: `checkpoint.npz`, `lease.json`, `progress.json`, and `loop/` of a "
    "loop of one's own",
    "outputs/, multirun/": "Hydra's folders of single runs and sweeps, with `run.log` of each run",
    "calibration/": "how many runs train fastest together, as measured",
    "evaluation_sets/": "what trivial baselines score, computed once",
    "reports/STUDY/": "reports, as the next table has it",
    "archives/": "[archives](../archive.md)",
    "exports/": "networks for other programs",
    "prepared/": "what `prepare` keeps of a set that it writes to a URL",
    "turing/NAME/": "[human evaluations](../turing.md), and `turing.db`, the answers",
}
REPORT = {
    "report.html": "the whole report in one file, which opens from disk",
    "report.md": "the same in Markdown",
    "report.tex": "its tables in LaTeX: [papers](../papers.md)",
    "checklist.md": "the reproducibility checklist of venues",
    "comparison.csv, comparison.parquet": "a row a variant and metric: mean, difference, interval, p, verdict",
    "runs.csv": "a row a run",
    "scores.parquet": "a row a variant, seed and example",
    "summary.json": "what it found, for programs",
    "figures/NAME.png, figures/NAME.pdf": "the figures: differences, interactions, credit, cost, per_example, gains, "
    "distributions, curves",
    "figures/grid.jpg": "pictures of examples by each variant",
}


def page() -> str:
    """Return the page."""
    summed = "Seconds of each [phase](../runs.md#where-the-time-of-a-run-goes), which add up to a run's wall time:"
    measured = "As MLflow measures it; `tracking.system_metrics=false` leaves it out."
    phases = {names.PHASE_SECONDS[phase]: PHASES[phase] for phase in Phase}
    parts = [
        HEAD,
        "## Metrics\n",
        EVALUATION,
        _metrics([*METRICS, CLASSIFIER_ACCURACY]),
        f"\n{OWN_TASKS}\n",
        _table("### Curves: `train/` and `val/`", CURVES),
        _table("### Costs: `cost/`", COSTS),
        _table(summed, phases),
        _table("### Data: `data/`", DATA),
        _table("### Estimates: `plan/`", PLANS),
        _table("### The machine's load: `system/`", SYSTEM, measured),
        _table("### Human evaluation: `turing/`", TURING, "Of a variant's run, once its pictures have been judged."),
        "## Params\n",
        "Every key of the [configuration](configuration.md), flattened, as in `optimizer.learning_rate`; and "
        f"`{names.factor_param('NAME')}`, the level of each factor of the run's study.\n",
        "## Tags\n",
        _table("### Of a run", RUN_TAGS),
        _table("### Of a study, which is an experiment in MLflow", STUDY_TAGS),
        _table("### Of a registered model", VERSION_TAGS, "Set by [promote](../runs.md#promotion)."),
        "## Files\n",
        _table("### Artifacts of a run", ARTIFACTS),
        _table("### The folder of results", RESULTS, "`results/` of the project, or what its table names."),
        _table("### A report", REPORT),
        "The columns of a human evaluation's tables: [codebook](../turing_codebook.md). An archive's members: "
        "[archives](../archive.md#the-format-version-1). The columns of frames: [notebooks](../notebooks.md).\n",
    ]
    return "\n".join(parts)


def _table(title: str, rows: Mapping[str, str], note: str = "") -> str:
    lines = [title, "", *([note, ""] if note else []), "| name | what it is |", "| --- | --- |"]
    for name, says in rows.items():
        shown = name if "`" in name else ", ".join(f"`{each}`" for each in name.split(", "))
        lines.append(f"| {shown} | {says} |")
    return "\n".join([*lines, ""])


def _metrics(metrics: Iterable[Metric]) -> str:
    directions = {True: "higher", False: "lower", None: "neither"}
    lines = ["| name | label | unit | better | what it is |", "| --- | --- | --- | --- | --- |"]
    for metric in metrics:
        better = directions[metric.higher_is_better]
        lines.append(f"| `{metric.name}` | {metric.label} | {metric.unit} | {better} | {metric.description} |")
    return "\n".join(lines)
