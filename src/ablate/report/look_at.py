"""The next runs of a study that looks at its results more than once, by what its store has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ablate.config.short_names import shorten
from ablate.execution.status import RunState, Status
from ablate.report.compare import verdict
from ablate.report.compared_runs import compared_runs
from ablate.report.looks import StudyLooks, looks_of
from ablate.report.number_format import quantity
from ablate.statistics.sequential import Outcome
from ablate.study.definition import StudyFile
from ablate.study.planning import PlannedRun, read_statuses
from ablate.tracking.study_record import read_study


@dataclass(frozen=True)
class Asked:
    """What a study asks for so far.

    Attributes:
        asked: The runs, in the order of the plan.
        lines: What its looks found, a line each.
        over: Whether no later look asks for more.
    """

    asked: list[PlannedRun]
    lines: Sequence[str]
    over: bool = False


def look_at(study: StudyFile, planned: Sequence[PlannedRun]) -> Asked:
    """Look at a study's results, and return what it asks for so far.

    What was found is found again from the results whenever it is asked for: nothing else remembers it.

    Args:
        study: With looks.
        planned: All runs that it may have.

    Raises:
        TrackingError: The store cannot be read.
        NotComparable: Its runs cannot stand in one table.
    """
    plan, variants = study.seed_plan, len(study.expansion().variants)
    count = sum(plan.counts(0, [0] * (variants - 1)))
    first = list(planned[:count])
    states = read_statuses(planned, alive=False)
    if not all(_counts(one, study) for one in states[:count]) or not any(one.finished for one in states[:count]):
        return Asked(first, [])
    record = read_study(study.name, planned[0].uri)
    identities = {run.identity for run in planned}
    own = record.readable & record.runs["identity"].isin(identities)
    compared = compared_runs(replace(record, runs=record.runs[own]), study, partial=True)
    failed = {
        (compared.names.get(run.label, run.label), run.seed)
        for run, one in zip(planned, states, strict=True)
        if one.status == Status.FAILED
    }
    looks = looks_of(compared, study, failed)
    assert looks is not None
    whole = {compared.names.get(run.label, run.label): run.label for run in planned}
    cells = {(whole[variant], seed) for variant, seed in looks.asked}
    asked = [run for run in planned if (run.label, run.seed) in cells]
    return Asked(asked, looks_lines(looks, study), over=not looks.missing)


def _counts(state: RunState, study: StudyFile) -> bool:
    """Tell whether a look need not wait for a run: it has failed, or has a result that is linked to the study."""
    return state.status == Status.FAILED or (state.finished and state.study == study.name)


def looks_lines(looks: StudyLooks, study: StudyFile) -> list[str]:
    """Say what each look found that could be made, a line each."""
    lines = []
    made = looks.found[:-1] if looks.missing else looks.found
    for look in made:
        table = look.table.set_axis(looks.variants[1:], axis=0)
        new = table[table["look"] == look.place]
        better = study.metric.direction == "maximize"
        decided = [
            f"{shorten(str(name))} {verdict(row, better, study.metric.margin)}"
            for name, row in zip(new.index, new.to_dict("records"), strict=True)
            if row["outcome"] == Outcome.DECIDED
        ]
        dropped = [shorten(str(name)) for name in new.index[new["outcome"] == Outcome.DROPPED]]
        parts = [
            *([f"decided: {'; '.join(decided)}"] if decided else []),
            *([f"dropped, as more seeds would hardly decide: {'; '.join(dropped)}"] if dropped else []),
            f"{int((table['outcome'] == Outcome.UNDECIDED).sum())} undecided",
        ]
        seeds = quantity(looks.seeds.looks[look.place], "seed")
        lines.append(f"Look {look.place + 1} of {len(looks.seeds.looks)}, at {seeds}: {'. '.join(parts)}")
    return lines
