"""A project of one's own whose task has a mistake, see `tasks/mistakes.py`."""

from pathlib import Path

LEVELS = {"narrow": 4, "wide": 8}


def write_project(folder: Path) -> Path:
    """Write a project with the factor `width`, and no task yet."""
    (folder / "conf" / "width").mkdir(parents=True)
    for name, units in LEVELS.items():
        (folder / "conf" / "width" / f"{name}.yaml").write_text(f"{{name: {name}, units: {units}}}\n")
    (folder / "conf" / "config.yaml").write_text(
        "defaults: [base, {width: narrow}, _self_]\ntask: {_target_: '???'}\n"
        "training: {batch_size: 8, epochs: 1}\ntracking: {system_metrics: false}\n"
    )
    return folder


def arguments(task: str, *more: str) -> list[str]:
    """Return the arguments of a command for one of the tasks."""
    return ["--config-dir", "conf", f"task._target_=mistakes.{task}", *more]
