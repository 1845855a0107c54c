"""Makes the weights of the package from a run, and measures what half precision changes.

Writes `weights.npz` (kernels in float16), `card.json` (for the program: how the network is built, and the checksum)
and `README.md` (for people: --about, and the run's model card without the folders of this machine) to the package's
folder. On --data, the photographs that the run trained and was evaluated on, the network is evaluated as it is read
from there, beside the run's own. --rebalancing is the share of the loss's class rebalancing that its colours keep, 1
unless it is said; see `ablate.colorize.packaged.lessen_rebalancing`.

    python benchmarks/weights.py RUN --uri sqlite:///FILE --data SET [--about TEXT] [--rebalancing 0.5] [--out DIR]
"""

import argparse
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.archive.anonymous import without_places
from ablate.colorization.task import ColorizationTask
from ablate.colorize.packaged import CARD, WEIGHTS, lessen_rebalancing, packaged_colorizer, packed_weights
from ablate.tracking import names
from ablate.tracking.store import open_store
from ablate.tracking.tracked_model import find_model, load_model, read_config
from ablate.training.hardware import import_tensorflow

FOLDER = Path(__file__).parents[1] / "src" / "ablate" / "colorize" / "weights"
SECTIONS = ("data", "backbone", "regularizer", "depth", "dropout", "output_res", "loss", "color", "evaluation")


def build_task(sections: Mapping[str, Mapping[str, Any]], data: str) -> ColorizationTask:
    """Return the task of a run on these photographs."""
    task = ColorizationTask(**{**sections, "data": {**sections["data"], "root": data}})
    task.load_data()
    return task


def write(run_id: str, folder: Path, about: str, data: str, rebalancing: float) -> None:
    """Write the three files of a run of the open store."""
    import mlflow

    tracked = find_model(run_id)
    config = read_config(tracked)
    sections = {name: config[name] for name in SECTIONS}
    model = load_model(tracked)
    lessen_rebalancing(model, build_task(sections, data).build_loss().get_config()["class_weights"], kept=rebalancing)
    content = packed_weights(model)
    card = {
        "run": tracked.run_id,
        "identity": mlflow.get_run(run_id).data.tags[names.IDENTITY_TAG],
        "sha256": hashlib.sha256(content).hexdigest(),
        "rebalancing": rebalancing,
        "task": sections,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content)
    (folder / CARD).write_text(without_places(json.dumps(card, indent=2)) + "\n", encoding="utf-8")
    model_card = mlflow.artifacts.load_text(f"runs:/{run_id}/{names.CARD_FILE}")
    text = "\n\n".join(filter(None, ["# The network in the package", about, without_places(model_card)]))
    (folder / "README.md").write_text(text, encoding="utf-8")
    print(f"{folder / WEIGHTS}: {len(content):,} bytes")


def compare(run_id: str, folder: Path, data: str) -> pd.DataFrame:
    """Evaluate the network in a folder; return its metrics beside those of the run."""
    import mlflow

    task = build_task(json.loads((folder / CARD).read_text(encoding="utf-8"))["task"], data)
    metrics = dict(task.evaluate(packaged_colorizer(folder).model).metrics)
    stored = names.current_metrics(mlflow.get_run(run_id).data.metrics)
    run = {name: stored[f"{names.EVALUATION_GROUP}/{name}"] for name in metrics}
    return pd.DataFrame({"run": run, "package": metrics})


def main() -> None:
    """Write, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--uri", required=True)
    parser.add_argument("--about", default="", help="what the card does not know, as the photographs' origin")
    parser.add_argument("--data", required=True)
    parser.add_argument("--rebalancing", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    import_tensorflow()
    open_store(given.uri, to_read=True)
    write(given.run, given.out, given.about, given.data, given.rebalancing)
    print(compare(given.run, given.out, given.data).to_string())


if __name__ == "__main__":
    main()
