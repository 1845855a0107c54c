"""The cache of what is known of an evaluation set without a model: one small file for each set, among the results.

A file that is missing, damaged or of another set is made anew; where it cannot be written, every run computes it.
Its name is a hash of all that it depends on, so processes that write it at once write the same.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ablate.colorization.data.photographs import ColorData
from ablate.colorization.evaluation_set import EvaluationSet
from ablate.execution.code_version import IRRELEVANT, import_closure
from ablate.system.atomic_write import atomic_write

log = logging.getLogger(__name__)


def cached_evaluation_set(
    data: ColorData,
    *,
    grid_step: int,
    folder: Path | None,
    compute: Callable[[], EvaluationSet],
    classifier: str | None = None,
) -> EvaluationSet:
    """Return the cached description of an evaluation set, or compute it and cache it.

    Args:
        data: The data set.
        grid_step: Grid step of the classes.
        folder: Where files are; None caches nothing.
        compute: Describes the evaluation set.
        classifier: The version of the classifier that judges it, if any.
    """
    if folder is None:
        return compute()
    key = _key(data, grid_step, classifier)
    path = folder / f"{_digest(key)[:16]}.json"
    try:
        return _parsed(path.read_bytes(), key)
    except FileNotFoundError:
        log.info("The evaluation set's statistics and references are computed; other runs find them in %s", folder)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        log.warning("%s is not what was written, and is made anew: %s", path, error or type(error).__name__)
    made = compute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, durable=False) as file:
            file.write(_serialized(made, key))
    except OSError as error:
        log.warning("The evaluation set's statistics and references are not cached: %s", error)
    return made


def _key(data: ColorData, grid_step: int, classifier: str | None) -> dict[str, Any]:
    """Return all that a description depends on, the code and its libraries among it."""
    return {
        "fingerprint": data.fingerprint,
        # The fingerprint does not say which photographs could be decoded.
        "photographs": _digest([photograph.digest for photograph in data.evaluation]),
        "side": data.preprocessing.evaluation_side,
        "grid_step": grid_step,
        "classifier": classifier,
        "mean_ab": data.mean_ab.tolist(),
        "code": import_closure(("ablate.colorization.evaluation_set",), IRRELEVANT).version,
    }


def _serialized(made: EvaluationSet, key: Mapping[str, Any]) -> bytes:
    values = {
        "class_counts": made.class_counts.tolist(),
        "colorfulness": made.colorfulness,
        "ab_counts": made.ab_counts.tolist(),
        "references": made.references,
    }
    return json.dumps({"key": key, "values": values, "sha256": _digest([key, values])}).encode()


def _parsed(content: bytes, key: Mapping[str, Any]) -> EvaluationSet:
    """Return what a file holds.

    Raises:
        ValueError, KeyError, TypeError, RecursionError: It is damaged, or of another evaluation set.
    """
    found = json.loads(content)
    values = found["values"]
    if found["key"] != key or found["sha256"] != _digest([key, values]):
        raise ValueError("its checksum or its key is another")
    return EvaluationSet(
        class_counts=np.array(values["class_counts"], np.int64),
        colorfulness=values["colorfulness"],
        ab_counts=np.array(values["ab_counts"], np.int64),
        references=values["references"],
    )


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
