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
    return _digest({"setting": setting(checked, fingerprint), "seed": checked.run.seed, **_config(checked)})


def setting(checked: Checked, fingerprint: str) -> str:
    """Return the hash of what runs must have in common for their results to be compared.

    That is the data, how it is evaluated, the scale, and the code.
    """
    return _digest(
        {
            "data": fingerprint,
            "comparison": checked.task.comparison_config(),
            "scale": checked.values.get("scale", {}).get("name"),
            "code": code_version((type(checked.task).__module__.rpartition(".")[0], "ablate.training")),
        }
    )


def _config(checked: Checked) -> dict[str, Any]:
    run = checked.run
    return {
        "task": {"class": f"{type(checked.task).__qualname__}", **checked.task.result_config()},
        "optimizer": run.optimizer.model_dump(by_alias=True, mode="json"),
        "training": run.training.model_dump(mode="json", exclude={"log_points"}),
        "precision": run.hardware.precision,
    }


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
            digest.update(normalized_source(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:16]


def normalized_source(source: str) -> str:
    """Return Python source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [statement for statement in body if not _is_text(statement)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _sources(package: str) -> Iterable[Path]:
    spec = find_spec(package) if package else None
    if spec is None or spec.origin is None:
        return []
    origin = Path(spec.origin)
    return sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
