"""A study as a notebook reads it: frames, comparison, figures, models and the report."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ablate.cli.command_line import configured_uri
from ablate.config.paths import results_dir
from ablate.config.variant import BASELINE
from ablate.errors import AblateError, ConfigError, TrackingError
from ablate.notebook.frames import curves_frame, runs_frame
from ablate.notebook.models import Chosen, load_trained_model
from ablate.notebook.overrides import config_options
from ablate.report.compared_runs import definition_of
from ablate.report.figures.figure import FigureFiles, picture_drawing
from ablate.report.load import load
from ablate.report.report import Report, make_report
from ablate.tracking.store import opened_to_read, store_uri

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

    from ablate.report.results import Results
    from ablate.study.definition import StudyFile
    from ablate.tracking.study_record import StudyRecord


def study(
    name: str | None = None,
    *,
    uri: str | None = None,
    metric: str | None = None,
    partial: bool = False,
    config_dir: str | PathLike[str] | None = None,
    config_name: str | None = None,
) -> Study:
    """Return a study to look at, which is read when something of it is first asked for.

    Args:
        name: Name of the study; None for the one with the newest run.
        uri: Address of the store, as in `sqlite:///mlflow.db`; None for that of the project, as commands find it.
        metric: The metric to compare by; None for the study's own.
        partial: Whether to compare what there is where runs are missing or do not all agree.
        config_dir: Folder with a configuration of one's own, of which `tracking.uri` may name the store.
        config_name: Its file, if not `config.yaml`.

    Raises:
        TrackingError: The store has no study at all.

    Example:
        >>> digits = ablate.study("digits")         # doctest: +SKIP
        >>> digits.compare()                        # doctest: +SKIP
        >>> digits.figure("differences")            # doctest: +SKIP
    """
    from ablate.tracking.study_record import study_names

    address = store_uri(configured_uri(uri, config_options(config_dir, config_name)), results_dir())
    if name is None:
        with opened_to_read(address):
            names = study_names()
        if not names:
            raise TrackingError(f"there are no runs yet in {address}: `ablate.run(..)` makes some")
        name = names[0]
    return Study(name, uri=address, metric=metric, partial=partial)


class Study:
    """A study in a tracking store.

    It is read when something of it is first asked for, and kept: `refresh` forgets what was read. What compares runs
    (`scores`, `costs`, `compare`, `effects`, `figure`, `report`) takes those that `python -m ablate.report` takes, the
    newest finished run of each variant and seed, and raises `NotComparable` where the study is not finished, or its
    runs differ in data, evaluation or code; `partial=True` takes those that there are.

    Args:
        name: Name of the study.
        uri: Address of the store.
        metric: The metric to compare by; None for the study's own.
        partial: See above.
    """

    def __init__(self, name: str, *, uri: str, metric: str | None = None, partial: bool = False):
        self.name = name
        self.uri = uri
        self.metric = metric
        self.partial = partial

    def refresh(self) -> Study:
        """Forget what was read, for instance after more runs have finished; return the study itself."""
        for name in ("_record", "_definition", "runs", "curves", "_loaded", "_reports"):
            self.__dict__.pop(name, None)
        return self

    @cached_property
    def _record(self) -> StudyRecord:
        from ablate.tracking.study_record import read_study

        with opened_to_read(self.uri):
            return read_study(self.name, self.uri)

    @cached_property
    def _definition(self) -> StudyFile | None:
        return definition_of(self._record, self._record.definition)

    @property
    def question(self) -> str | None:
        """The question that the study asks; None for a sweep without a study file."""
        return self._record.question

    @cached_property
    def runs(self) -> pd.DataFrame:
        """All runs that were begun, finished or not.

        Index `run_id`, the run in MLflow. Columns: `variant`, its name as the report shows it; `seed`; `status`: done,
        cached (a result of another study), running, interrupted (resumed by the next `run`), failed, or to do (its
        result is gone); `started` (UTC); `seconds`, NaN while it runs; `reason`, why there is no result; one column a
        factor, its level as text (NaN where an older store does not say it); and the last value of every metric
        `eval/..` and `cost/..`; `cost/energy`, how `cost/energy_kwh` is known: what is measured, what is estimated.
        """
        return runs_frame(self._record, self._definition)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The curves of all runs that were begun: one row a run, metric and step.

        Columns: `run_id`; `variant`; `seed`; `metric`, as in `train/loss` and `val/loss`; `step`; `value`.
        """
        with opened_to_read(self.uri):
            return curves_frame(self._record)

    @property
    def scores(self) -> pd.DataFrame:
        """What the compared runs measured, example by example.

        Index `variant`, `seed` and `example`, its name; one column a metric. Every run has the same examples.
        """
        return self._results(None).scores

    @property
    def costs(self) -> pd.DataFrame:
        """What the compared runs cost.

        Index `variant` and `seed`; one column a cost, among them `cost/parameters`, `cost/flops_per_example` (of a
        forward pass), `cost/wall_seconds` (of training), `cost/examples_per_second`, `cost/peak_memory_mib`
        and `cost/energy_kwh`, of which `runs` says how it is known.
        """
        return self._results(None).costs

    @property
    def metrics(self) -> pd.DataFrame:
        """What the metrics mean: index `name`; columns `label`, `unit`, `higher_is_better` and `description`."""
        return self._results(None).specs

    def compare(self, metric: str | None = None) -> pd.DataFrame:
        """Compare every variant with the baseline, paired by seed and example, see docs/statistics.md.

        Args:
            metric: The metric to compare by; None for the study's own.

        Returns:
            Index `variant`, the baseline first. Columns: `n`, its seeds; `mean` and `sd` over them; `n_paired`, seeds
            that the baseline has too; `examples`, their number; `difference` from the baseline, with `low` and `high`,
            its 95 % interval, all of which hold at once; `low_individual` and `high_individual`, the interval that
            holds alone; `p`, adjusted for the number of variants; `minimum_detectable_effect`; `standard_error`;
            `over`, what the intervals are over: seeds, examples, both or nothing; `effect_size`; `gained` and `lost`,
            percent of the examples that the variant gets right and the baseline wrong, and the reverse, NaN where the
            metric is more than right or wrong; `verdict`, read off `low` and `high`: better, worse, equivalent, no
            difference found, not comparable; empty for the baseline.

        Raises:
            ConfigError: There is no such metric, or neither direction of it is better.
            NotComparable: The runs cannot stand in one table.
        """
        report = self._report(metric)
        own = report.comparison[report.comparison["metric"] == report.results.primary.name]
        return own.drop(columns=["metric", "exploratory"]).set_index("variant")

    def effects(self, metric: str | None = None) -> pd.DataFrame:
        """Estimate the main effects and two-way interactions of a factorial study.

        Args:
            metric: The metric; None for the study's own.

        Returns:
            Columns: `effect`, as in `depth=shallow` or `depth=shallow × dropout=light`; `kind`, main or interaction;
            `estimate`, with `low` and `high`, its 95 % interval, all of which hold at once; `p`, adjusted for the
            number of effects. Empty where the design is no factorial one.
        """
        return self._report(metric).effects

    @property
    def figures(self) -> dict[str, str]:
        """The names of the figures, with what each shows and how to read it."""
        figures = self._report(None).figures.items()
        return {name: " ".join([f"{it.title}.", it.caption, it.method]).strip() for name, it in figures}

    def figure(self, name: str, metric: str | None = None) -> Figure:
        """Return a figure of the report, as Matplotlib has it: a notebook shows it, `savefig` writes it.

        Args:
            name: One of `figures`.
            metric: The metric that it is about; None for the study's own.

        Raises:
            ConfigError: There is no such figure.
        """
        figures = self._report(metric).figures
        if name not in figures:
            raise ConfigError(f"study {self.name} has no figure {name}. Allowed: {', '.join(figures) or 'none'}")
        figure = figures[name]
        files = figure.files
        return files.drawing if isinstance(files, FigureFiles) else picture_drawing(files[figure.raster])

    def model(self, *, variant: Chosen = BASELINE, seed: int | None = None) -> keras.Model:
        """Load the trained model of a run, to predict with.

        Args:
            variant: Its name, or its levels that differ from the baseline's: `{"dropout": "light"}`.
            seed: Of the run; None for the lowest one.

        Raises:
            ConfigError: No run of that variant and seed has finished.
            TrackingError: It kept no model, or the model cannot be loaded.
        """
        with opened_to_read(self.uri):
            return load_trained_model(self._record, self._definition, variant, seed)

    def report(self, out: str | Path | None = None, *, track: bool = True) -> Path:
        """Write the report, as `python -m ablate.report` does.

        Args:
            out: Its folder; None for that of the command.
            track: Whether the store gets it as well.

        Returns:
            The page, which holds all that it shows.
        """
        from ablate.report.overview import track_report
        from ablate.report.render import make_folder, write

        results = self._results(None)
        folder = results_dir() / "reports" / results.study if out is None else Path(out)
        make_folder(folder)
        with opened_to_read(self.uri):
            # Drawn anew: a notebook may have changed a figure that it was given.
            report = make_report(results)
            files = write(report, folder)
            if track:
                track_report(report, folder, files)
        return files[-1]

    def _results(self, metric: str | None) -> Results:
        metric = metric or self.metric
        if metric not in self._loaded:
            with opened_to_read(self.uri):
                self._loaded[metric] = load(self._record, partial=self.partial, metric=metric)
        return self._loaded[metric]

    def _report(self, metric: str | None) -> Report:
        metric = metric or self.metric
        if metric not in self._reports:
            results = self._results(metric)
            with opened_to_read(self.uri):
                self._reports[metric] = make_report(results)
        return self._reports[metric]

    @cached_property
    def _loaded(self) -> dict[str | None, Results]:
        return {}

    @cached_property
    def _reports(self) -> dict[str | None, Report]:
        return {}

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        from ablate.notebook.page import as_html, table_frame

        try:
            table = table_frame(self._report(None).tables["primary"])
        except AblateError:
            table = None  # the lines say why
        return as_html(self._lines(), table)

    def _lines(self) -> list[str]:
        """Say what the study is, how far it is, and what it found or why that cannot be said."""
        lines = [f"Study {self.name} in {self.uri}"]
        try:
            runs = self.runs
            lines[0] = f"Study {self.name}: {self.question}" if self.question else f"Study {self.name}"
            counts = ", ".join(f"{count} {status}" for status, count in runs["status"].value_counts().items())
            lines.append(f"{len(runs)} runs of {runs['variant'].nunique()} variants in {self.uri}: {counts}")
            lines += self._report(None).answer
        except AblateError as error:
            lines += str(error).splitlines()
        return lines
