"""The prepared photographs as arrays, and all else that a run needs, for the programs that are no `ablate`.

They get what preparation can do for them: training photographs are in Lab already, in half precision. No measured time
includes it, as none includes `ablate.prepare`.

    cd benchmarks; python -m alternative_studies.arrays SET OUT [OVERRIDE ..]
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from PIL import Image

from ablate.colorization.color.class_rebalancing import class_weights, empirical_prior, smooth_prior
from ablate.colorization.color.lab import pixels_to_lab
from ablate.config.paths import conf_dir
from ablate.config.validation import validate_config
from alternative_studies.contenders import OPTIMIZERS, OUTPUTS, SCALE


def square(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return the central square of a photograph at a side; as it is where it has that side."""
    height, width, _ = pixels.shape
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    cut = pixels[top : top + short, left : left + short]
    return cut if short == side else np.asarray(Image.fromarray(cut).resize((side, side), Image.Resampling.BICUBIC))


def write_arrays(prepared: Path, out: Path, network: Sequence[str]) -> None:
    """Write train.npy, evaluation.npy and case.json, the last one last, for a network with some overrides."""
    out.mkdir(parents=True, exist_ok=True)
    overrides = [f"scale={SCALE}", "data=prepared", f"data.root='{prepared.resolve()}'", *network]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = validate_config(compose("config", overrides))
        outputs = {
            name: validate_config(compose("config", [*overrides, f"output_res={name}"])).task for name in OUTPUTS
        }
        optimizers = {name: compose("config", [*overrides, f"optimizer={name}"]).optimizer for name in OPTIMIZERS}
    task = config.task
    data, color, loss = task.data, task.config.color, task.config.loss
    side = task.preprocessing.largest_short_side
    train = np.lib.format.open_memmap(out / "train.npy", "w+", np.float16, (len(data.train), side, side, 3))
    for start in range(0, len(train), 1000):
        photographs = data.train.read(list(range(start, min(start + 1000, len(train)))))
        train[start : start + 1000] = pixels_to_lab(np.stack([square(each, side) for each in photographs]))
    train.flush()
    np.save(out / "evaluation.npy", data.squares.read(slice(None))[0])
    prior = smooth_prior(empirical_prior(data.bin_counts), step=color.grid_step, sigma=color.prior_sigma)
    case = {
        "side": task.side,
        "batch_size": config.run.training.batch_size,
        "evaluation_photographs": len(data.evaluation),
        "class_weights": class_weights(prior, mix=loss.mix).tolist(),
        "temperature": color.temperature,
        "layers": {name: [asdict(layer) for layer in each.layers] for name, each in outputs.items()},
        "optimizers": {name: OmegaConf.to_container(each, resolve=True) for name, each in optimizers.items()},
    }
    (out / "case.json").write_text(json.dumps(case))


if __name__ == "__main__":
    write_arrays(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
