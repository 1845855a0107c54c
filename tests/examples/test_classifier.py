"""`examples/classifier.py`: what it trains is a classifier that judges."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablate.colorization.classifier import Judge, find_classifier

SCRIPT = Path(__file__).parents[2] / "examples" / "classifier.py"
COLORS = {"n01": (20, 20, 220), "n02": (220, 20, 20)}


@pytest.mark.slow
def test_it_is_trained_saved_and_judges(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for name, color in COLORS.items():
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for place in range(16):
                Image.new("RGB", (20, 20), color).save(folder / f"{place}.png")
    out = tmp_path / "small.keras"
    options = ["--side", "16", "--width", "4", "--epochs", "12", "--batch", "8", "--out", str(out)]
    command = [sys.executable, str(SCRIPT), str(tmp_path), *options]
    trained = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert trained.returncode == 0, trained.stderr
    judge = Judge(find_classifier(str(out)), ["val/n01/0.png", "val/n02/0.png"])
    truth = np.stack([np.full((16, 16, 3), color, np.uint8) for color in COLORS.values()])
    assert judge.correct(0, truth).tolist() == [100, 100]
