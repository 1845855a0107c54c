"""The semantic check: a classifier that judges coloured photographs."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from ablate.colorization.classifier import CLASSIFIER_ACCURACY, Classifier, Judge, find_classifier
from ablate.errors import ConfigError, DataError
from tests.support.configs import valid_config

COLORS = {"blue": (40, 60, 200), "red": (200, 60, 40)}
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a network that calls a picture red whose mean red exceeds its mean blue."""

    def write(classes: object = ("blue", "red"), name: str = "judge.keras") -> str:
        model = keras.Sequential(
            [keras.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
        )
        model.layers[-1].set_weights([np.array([[0, 1], [0, 0], [1, 0]], np.float32), np.array([0.1, 0], np.float32)])
        model.save(tmp_path / name)
        (tmp_path / name).with_suffix(".json").write_text(json.dumps(classes))
        return str(tmp_path / name)

    return write


def rewrite(file: str, old: str, new: str) -> None:
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content.replace(old.encode(), new.encode()) if name == "config.json" else content)


def test_the_class_is_the_folder_or_the_beginning_of_the_name() -> None:
    classifier = Classifier("c", "1", ("n01", "n02"))
    names = ["val/n02/7.jpg", "n01_a_cat.jpg", "n01.png", "a/b/n02/n01_3.jpg"]
    assert classifier.labels(names).tolist() == [1, 0, 0, 1]
    with pytest.raises(
        DataError, match=r"1 of 2 evaluation photographs .* such as cat.jpg; one of the classes is n01"
    ):
        classifier.labels(["n01/1.jpg", "cat.jpg"])


@pytest.mark.slow
def test_pictures_are_right_where_their_class_is_the_likeliest(write: Write) -> None:
    truth = np.stack([np.full((8, 8, 3), color, np.uint8) for color in COLORS.values()])
    judge = Judge(find_classifier(write()), ["blue/1.png", "red/1.png"])
    assert judge.correct(0, truth).tolist() == [100, 100]
    assert judge.correct(1, truth[1:]).tolist() == [100]
    assert judge.correct(0, truth[::-1]).tolist() == [0, 0]
    # Grey is called blue.
    assert judge.correct(0, truth, np.zeros((2, 8, 8, 2))).tolist() == [100, 0]
    purple = np.broadcast_to(np.array([60.0, 40.0]), (2, 8, 8, 2))
    assert judge.correct(0, truth, purple).tolist() == [0, 100]


@pytest.mark.slow
def test_the_version_is_of_the_contents(write: Write) -> None:
    file = Path(write())
    first = find_classifier(str(file))
    copy = file.with_name("copy.keras")
    shutil.copy(file, copy)
    shutil.copy(file.with_suffix(".json"), copy.with_suffix(".json"))
    assert find_classifier(str(copy)).version == first.version
    copy.with_suffix(".json").write_text('["red", "blue"]')
    assert find_classifier(str(copy)).version != first.version


@pytest.mark.slow
def test_what_is_no_classifier_is_an_error(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be a .keras file, or a name in keras.applications. Received: vgg"):
        find_classifier("vgg")
    with pytest.raises(ConfigError, match=r"evaluation.classifier=VGG16 needs .*imagenet_class_index.json"):
        find_classifier("VGG16")
    with pytest.raises(ConfigError, match=r"needs the file .*gone.keras"):
        find_classifier(str(tmp_path / "gone.keras"))
    with pytest.raises(ConfigError, match="must hold a list of the names"):
        find_classifier(write({"red": 0}))
    with pytest.raises(ConfigError, match="has 2 outputs, and 3 classes are named"):
        find_classifier(write(["a", "b", "c"])).load()
    file = write()
    rewrite(file, '"units": 2', '"units": 20000000000')
    with pytest.raises(ConfigError, match=r"cannot be loaded: .* has weights of [\d,.]+ GiB, at most 1 GiB are read"):
        find_classifier(file).load()
    Path(file).write_bytes(b"torn")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        find_classifier(file).load()


@pytest.mark.slow
def test_its_accuracy_is_a_metric_beside_that_of_the_truth(write: Write, tmp_path: Path, home: Path) -> None:
    generator = np.random.default_rng(0)
    for split in ("train", "val"):
        for name, color in COLORS.items():
            for place in range(2):
                pixels = np.clip(np.array(color) + generator.integers(-20, 20, (40, 40, 3)), 0, 255)
                file = tmp_path / "photographs" / split / name / f"{place}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels.astype(np.uint8)).save(file)
    base = ["scale=smoke", "backbone.width=0.0625", "data=folder", f"data.root={tmp_path / 'photographs'}"]
    plain, judged = (valid_config(*base, *more).task for more in ([], [f"evaluation.classifier={write()}"]))
    assert plain.result_config() != judged.result_config()
    assert plain.comparison_config() != judged.comparison_config()
    judged.load_data()
    for _ in range(2):  # the second time the references are cached
        evaluation = judged.evaluate(judged.build_model(0))
        assert list(evaluation.metrics)[-1] == CLASSIFIER_ACCURACY.name
        assert set(evaluation.per_example[CLASSIFIER_ACCURACY.name]) <= {0.0, 100.0}
        accuracies = {name: values[CLASSIFIER_ACCURACY.name] for name, values in evaluation.references.items()}
        assert (accuracies["truth"], accuracies["grey"]) == (100.0, 50.0)
        assert evaluation.references["truth"]["auc_raw"] == 100.0
    assert "truth" not in plain.evaluate(plain.build_model(0)).references
