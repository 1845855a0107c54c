"""A check of a project: every level of every factor tried, tracked and reported in a folder that is thrown away."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ablate.cli.command_line import CommandLine
from ablate.config.environment import set_onednn
from ablate.task import trains_itself
from ablate.testing.findings import Finding, Findings, collected_warnings, finding_of, gather, problem, warning
from ablate.testing.trial import STEPS, Trial, try_variant
from ablate.testing.variants import TrialVariant, trial_variants

_STORE = "MLFLOW_TRACKING_URI"
_LATE = ("training.", "schedule")
"""What may act after the first steps alone."""


def check_project(command: CommandLine) -> bool:
    """Try the variants of a command and print what is found; return whether nothing is wrong.

    Raises:
        AblateError: The command names no study, level or configuration.
    """
    begun, variants = time.monotonic(), trial_variants(command)
    width = max(len(variant.name) for variant in variants) + 2
    print(f"{_counted(len(variants), 'variant')}, each trained for {STEPS} steps; nothing is kept", flush=True)
    with _folder() as folder:
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        trials = list[Trial]()
        for place, variant in enumerate(variants):
            print(f"{variant.name:{width}}", end="", flush=True)
            trial = _tried(variant, folder, uri, first=place == 0)
            trial.findings += _idle(trial, trials[:1])
            _print(trial, known=[finding for before in trials for finding in before.findings])
            trials.append(trial)
            if place == 0 and trial.outcome is None and not _may_differ(trial):
                break
        else:
            trials.append(_reported(uri, folder, trials, width))
    return _summarize(trials, len(variants), time.monotonic() - begun)


def _tried(variant: TrialVariant, folder: Path, uri: str, *, first: bool) -> Trial:
    if first:
        try:
            config = variant.config()
        except Exception as error:  # whatever the code of a user raises
            return Trial(variant.name, [finding_of(error)])
        set_onednn(config.run.hardware.onednn)
        if not trains_itself(config.task):
            from ablate.training.hardware import import_tensorflow

            import_tensorflow()
        from ablate.tracking.store import open_store

        open_store(uri)
        gc.freeze()  # each trial collects garbage: not in all that was imported
    return try_variant(variant, folder, uri, thorough=first)


def _may_differ(trial: Trial) -> bool:
    """Tell whether what is wrong with the baseline may be right elsewhere."""
    return trial.seconds > 0


def _idle(trial: Trial, first: Sequence[Trial]) -> Findings:
    """A level that changes nothing: no factor of the task's."""
    if not first or trial.outcome is None or trial.outcome != first[0].outcome or trial.name.startswith(_LATE):
        return
    key = trial.name.partition("=")[0]
    yield warning(
        f"{trial.name} trains and evaluates exactly as {first[0].name} does: does the task read config.{key}? "
        f"Right for what acts after {STEPS} steps alone, as a callback"
    )


def _reported(uri: str, folder: Path, trials: Sequence[Trial], width: int) -> Trial:
    """Make the report of all that was tracked."""
    begun, trial = time.monotonic(), Trial("report")
    if not any(each.outcome for each in trials):
        return trial
    print(f"{trial.name:{width}}", end="", flush=True)

    def check() -> Findings:
        os.environ["MPLBACKEND"] = "agg"
        from ablate.report.load import load
        from ablate.report.render import make_folder, write
        from ablate.report.report import make_report
        from ablate.tracking.study_record import read_study

        report = make_report(load(read_study("check", uri), partial=True))
        make_folder(folder / "report")
        pages = write(report, folder / "report")
        if not pages[-1].is_file():
            yield problem("the report has no page")

    with collected_warnings():
        trial.findings += gather(check)
    trial.seconds = time.monotonic() - begun
    _print(trial, known=[])
    return trial


def _print(trial: Trial, known: Sequence[Finding]) -> None:
    wrong = any(finding.wrong for finding in trial.findings)
    said = "wrong" if wrong else "warning" if trial.findings else "ok"
    print(f"{said:8}{trial.seconds:6.1f} s", flush=True)
    for finding in trial.findings:
        if finding in known:
            print("  as above", flush=True)
        else:
            print(f"  {'' if finding.wrong else 'warning: '}{finding}", flush=True)


def _summarize(trials: Sequence[Trial], planned: int, seconds: float) -> bool:
    findings = dict.fromkeys(finding for trial in trials for finding in trial.findings)
    wrong = sum(finding.wrong for finding in findings)
    tried = min(planned, len(trials))
    left = f"; {planned - tried} variants not tried" if tried < planned else ""
    warned = _counted(len(findings) - wrong, "warning")
    print(f"{_counted(wrong, 'problem')}, {warned} in {seconds:.0f} s{left}", flush=True)
    return not wrong


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that nothing leaves, and in which no store of the user's is found."""
    before = os.environ.pop(_STORE, None)
    try:
        with TemporaryDirectory(prefix="ablate-check-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    finally:
        if before is not None:
            os.environ[_STORE] = before
