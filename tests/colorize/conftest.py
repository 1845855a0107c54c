"""A tracked network of the colourisation task, without training; a photograph; a small network in a file."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablate.colorization.config import ColorConfig
from ablate.colorization.data.sources.sample import sample_paths
from ablate.colorization.data.split import TRAIN
from ablate.colorization.model.backbone import build_backbone
from ablate.colorization.model_use import served_model
from ablate.task import Evaluation, Metric
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from tests.support.levels import variant_layers
from tests.support.tracked_runs import TABLE, TAGS

COLOR = ColorConfig(grid_step=10, soft_bins=5, soft_sigma=5, prior_sigma=5, temperature=0.38)


@pytest.fixture(scope="session")
def tracked_network(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a store with one run, and the run: a small network from 32x32 to 8x8, as it begins."""
    from ablate.colorization.model.architecture import Block, network_layers
    from ablate.colorization.model.loss import ColorCrossEntropy

    folder = tmp_path_factory.mktemp("network")
    shutil.copy(empty_store, folder / "mlflow.db")
    open_store(f"sqlite:///{folder}/mlflow.db")
    blocks = [
        Block(number=1, filters=64, convolutions=1, stride=2),
        Block(number=2, filters=64, convolutions=1, stride=2),
        Block(number=3, filters=64, convolutions=1),
    ]
    layers = network_layers(blocks, output_stride=4, outputs=313, width=0.25, dropout=0.0, batch_norm="none")
    network = build_backbone(layers, side=32, seed=0, l2=0.0)
    # Left as they begin, all colours would be about as likely.
    network.set_weights([3 * weight for weight in network.get_weights()])
    loss = ColorCrossEntropy(class_weights=None, step=10, k=5, sigma=5.0, pixel_reduction="mean", mask_grey=False)
    network.compile(optimizer="sgd", loss=loss)
    with track(study="own", name="x", tags=TAGS, project=folder) as run:
        run.log_config({"seed": 0})
        run.log_evaluation(Evaluation({"auc": 1.0}, {}, TABLE), [Metric("auc", "AuC", "%", True, "")])
        run.log_model(network, served_model(COLOR))
    return folder, run.run_id


@pytest.fixture
def network(home: Path, tracked_network: tuple[Path, str]) -> str:
    """The address of that network's model; its store is open."""
    folder, run_id = tracked_network
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"  # `home` has set it, and sets it back
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return f"runs:/{run_id}/model"


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    """A photograph with every colour, 128x96."""
    path = dict(sample_paths(TRAIN))["astronaut"]
    return Image.open(path).convert("RGB").resize((128, 96), Image.Resampling.LANCZOS)


@pytest.fixture(scope="session")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network, which colours all the same."""
    file = tmp_path_factory.mktemp("network") / "tiny.keras"
    build_backbone(variant_layers(width=0.0625, depth="shallow", outputs=313), side=32, seed=3).save(file)
    return file


@pytest.fixture(scope="session")
def drawn_ab() -> np.ndarray:
    """Colours as a network gives them, (16, 16, 2), some of which sRGB does not have."""
    return np.random.default_rng(0).uniform(-40, 40, (16, 16, 2)).astype(np.float32)
