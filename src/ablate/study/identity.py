"""What determines a run's result, as hashes. Imports neither TensorFlow nor MLflow."""

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ablate.config import Checked
from ablate.errors import ConfigError
from ablate.task import Task


def identity(checked: Checked, fingerprint: str) -> str:
    """Return the hash of everything that determines a run's result.

    That is the task's, optimiser's and training's configuration, the seed, the precision, the contents of the data
    set, and the code that computes results; not the study, the store, paths, the machine or its threads.

    Args:
        checked: The configuration.
        fingerprint: That of the data set.

    Returns:
        32 hexadecimal digits.
    """
    return identity_of(configuration(checked, fingerprint), checked.run.seed)


def identity_of(configuration: str, seed: int) -> str:
    """Return the identity of a run from its `configuration` and its seed."""
    return _digest({"configuration": configuration, "seed": seed})


def configuration(checked: Checked, fingerprint: str) -> str:
    """Return the identity apart from the seed: runs of one variant must agree in it, or they are no repetitions."""
    return _digest({"setting": setting(checked, fingerprint), **_config(checked)})


def setting(checked: Checked, fingerprint: str) -> str:
    """Return the hash of what runs must have in common for their results to be compared, see `setting_parts`."""
    return _digest(setting_parts(checked, fingerprint))


def setting_parts(checked: Checked, fingerprint: str) -> dict[str, Any]:
    """Return what runs must have in common: the data, how it is evaluated, the scale, and the code."""
    return {
        "data": fingerprint,
        "comparison": checked.task.comparison_config(),
        "scale": checked.values.get("scale", {}).get("name"),
        "code": code_of(checked.task),
    }


def _config(checked: Checked) -> dict[str, Any]:
    run = checked.run
    return {
        "task": {"class": f"{type(checked.task).__qualname__}", **checked.task.result_config()},
        "optimizer": run.optimizer.model_dump(by_alias=True, mode="json", exclude={"name"}),
        "training": run.training.model_dump(mode="json", exclude={"log_points"}),
        "precision": run.hardware.precision,
    }


def code_of(task: Task) -> str:
    """Hash the code that computes a task's results: its class, those that it inherits from, and training.

    Raises:
        ConfigError: Some of it is not found.
    """
    own = {cls.__module__ for cls in type(task).__mro__} - {"builtins", "abc", "typing", Task.__module__}
    return code_version((*sorted({_home(module) for module in own}), "ablate.training"))


def _home(module: str) -> str:
    """Return what holds a task's code: its package, or its module where that stands alone."""
    return module.rpartition(".")[0] or module


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]


@lru_cache
def code_version(packages: tuple[str, ...]) -> str:
    """Hash the code of packages as it runs: comments, docstrings and layout do not count.

    Args:
        packages: Names of packages or modules.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for package in packages:
        for path in _sources(package):
            digest.update(path.name.encode())
            digest.update(meaning(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:16]


def meaning(source: str) -> str:
    """Return what Python source means, without comments, docstrings and layout, alike in every version of Python."""
    return json.dumps(_plain(ast.parse(source)))


def _plain(node: Any) -> Any:
    # Neither `ast.unparse` nor `ast.dump` says the same in all versions: newer ones know more fields, empty here.
    if isinstance(node, ast.AST):
        fields = ((name, _plain(value)) for name, value in ast.iter_fields(node) if name != "kind")
        return [type(node).__name__, *([name, value] for name, value in fields if value not in (None, []))]
    if isinstance(node, list):
        return [_plain(child) for child in node if not _is_text(child)]
    return node if isinstance(node, bool | int | str | None) else repr(node)


def _is_text(statement: Any) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _sources(package: str) -> Iterable[Path]:
    spec = find_spec(package)
    if spec is not None and spec.submodule_search_locations:
        return [path for folder in spec.submodule_search_locations for path in sorted(Path(folder).rglob("*.py"))]
    if spec is None or spec.origin is None:
        raise ConfigError(f"the code of {package} is not found, so results of it could not be told from others")
    return [Path(spec.origin)]
