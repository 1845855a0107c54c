"""Loading of colorizers: from runs, studies, files of Keras, and weights in the package."""

import io
import json
import zipfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ablate.colorization.config import ColorConfig
from ablate.colorization.model.backbone import build_backbone
from ablate.colorize.keras_file import read_keras_file, write_keras_file
from ablate.colorize.load import colorizer_of_run, load_colorizer, load_colorizers
from ablate.colorize.packaged import (
    CARD,
    WEIGHTS,
    lessen_rebalancing,
    packaged_colorizer,
    packed_weights,
    set_weights,
)
from ablate.colorize.served import load_served
from ablate.errors import ConfigError, DataError
from tests.support.levels import variant_layers


def network(outputs: int = 313) -> keras.Model:
    return build_backbone(variant_layers(width=0.0625, depth="shallow", outputs=outputs), side=32, seed=3)


@pytest.mark.slow
@pytest.mark.parametrize(("outputs", "step"), [(313, 10), (2, 10), (35, 30)])
def test_a_file_of_keras_says_by_its_outputs_how_they_are_decoded(tmp_path: Path, outputs: int, step: int) -> None:
    file = tmp_path / "my network.keras"
    expected = network(outputs)
    expected.save(file)
    if outputs == 35:
        with pytest.raises(DataError, match=r"colours no photographs: .* \(32, 32, 1\) to \(8, 8, 35\)"):
            load_colorizer(model=file)
        return
    found = load_colorizer(model=file)
    assert (found.name, found.color.grid_step, found.color.temperature) == ("my network", step, 0.38)
    assert load_colorizer(model=str(file), temperature=1.0).color.temperature == 1.0
    squares = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    assert np.isfinite(found.predict_ab(squares)).all()
    for one, other in zip(expected.weights, found.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_an_error_of_the_user(temperature: float) -> None:
    with pytest.raises(ConfigError, match=rf"temperature={temperature}: input should be"):
        load_colorizer(temperature=temperature)


def test_a_file_of_a_network_whose_squares_would_take_all_memory_is_refused(tmp_path: Path) -> None:
    inputs = keras.Input((4096, 4096, 1))
    keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs)).save(tmp_path / "large.keras")
    with pytest.raises(DataError, match=r"at most 2048 pixels on a side, not 4096"):
        load_colorizer(model=tmp_path / "large.keras")


def rewritten(file: Path, change: Callable[[Any], Any]) -> None:
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["config.json"] = json.dumps(change(json.loads(contents["config.json"]))).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def simple(layer: keras.layers.Layer) -> keras.Model:
    inputs = keras.Input((8, 8, 1))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.slow
def test_a_lambda_layer_is_refused_and_its_code_is_not_run(tmp_path: Path) -> None:
    file, canary = tmp_path / "evil.keras", tmp_path / "canary"
    code = lambda x, path=str(canary): (__import__("pathlib").Path(path).touch(), x)[1]  # noqa: E731
    simple(keras.layers.Lambda(code, output_shape=(8, 8, 1))).save(file)
    canary.unlink(missing_ok=True)
    with pytest.raises(DataError, match=r"evil\.keras is refused: it names keras\.layers\.Lambda, which can run code"):
        read_keras_file(file)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "exec"),
        ("keras.utils", "get_file"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.layers", "TFSMLayer"),
        ("keras.layers", "StringLookup"),
        ("keras.layers", "nothing"),
        (None, "Conv2D"),
        ("evil", "Layer"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_what_names_other_code_is_refused_before_keras_sees_it(
    module: str | None, name: str, inside: bool, tmp_path: Path
) -> None:
    file = tmp_path / "evil.keras"
    simple(keras.layers.ReLU()).save(file)
    named = {"module": module, "class_name": name, "config": {}, "registered_name": None}
    rewritten(file, lambda config: {**config, "more": [{"deep": named}]} if inside else named)
    with pytest.raises(DataError, match=r"evil\.keras is refused: it names "):
        read_keras_file(file)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.h5", b"", "a model must be a .keras file"),
        ("none.keras", None, "there is no such model file"),
        ("text.keras", b"text", "is no model of Keras 3: File is not a zip file"),
        ("other.keras", "zip", "is no model of Keras 3: it must hold config.json"),
    ],
)
def test_what_is_no_model_is_said_in_one_line(
    name: str, content: bytes | str | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    if content == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a", "b")
    elif isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_colorizer(model=file)
    assert "\n" not in str(caught.value)


def test_arguments_that_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match="give study=NAME as well"):
        load_colorizers(variants=["baseline"])


@pytest.mark.slow
def test_weights_of_the_package_are_those_that_were_packed() -> None:
    one, other = network(), network()
    for each in one.weights:
        each.assign(np.random.default_rng(0).random(each.shape))
    content = packed_weights(one)
    set_weights(other, content)
    for mine, its in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-3)
    with pytest.raises(DataError, match="other weights than the network"):
        set_weights(network(2), content)
    evil = io.BytesIO()
    np.savez(evil, x=np.array([print], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        set_weights(other, evil.getvalue())


@pytest.mark.slow
def test_the_network_of_the_package_loads_by_name_and_without_one(home: Path) -> None:
    squares = np.stack([np.full((64, 64), 50.0), np.tile(np.linspace(0, 100, 64), (64, 1))])
    by_name, without = load_colorizer(model="packaged"), load_colorizer()
    np.testing.assert_array_equal(by_name.predict_ab(squares), without.predict_ab(squares))
    assert (without.name, without.image_size, without.output_size) == ("packaged", 64, 16)
    # A file that is called so is a file.
    (home / "packaged").write_bytes(b"no model")
    with pytest.raises(DataError, match="packaged"):
        load_colorizer(model="packaged")


def test_weights_that_are_missing_or_changed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no weights of its own: give run=ID"):
        packaged_colorizer(tmp_path)
    for name in (CARD, WEIGHTS):
        (tmp_path / name).write_bytes((files("ablate.colorize") / "weights" / name).read_bytes())
    with (tmp_path / WEIGHTS).open("r+b") as file:
        file.seek(1000)
        file.write(b"\0")
    with pytest.raises(DataError, match=r"weights\.npz is not the file that card\.json describes: reinstall"):
        packaged_colorizer(tmp_path)


@pytest.mark.slow
def test_a_file_can_say_its_temperature(tmp_path: Path) -> None:
    file = tmp_path / "net.keras"
    write_keras_file(network(), file, temperature=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["net.keras"]
    assert load_colorizer(model=file).color.temperature == 1.0
    assert load_colorizer(model=file, temperature=0.5).color.temperature == 0.5
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for said in ('{"temperature": -1}', '{"temperature": 1, "more": 2}', "[" * 900, "no json"):
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in {**contents, "decoding.json": said.encode()}.items():
                archive.writestr(name, content)
        with pytest.raises(DataError, match=r"its decoding\.json must say a positive temperature"):
            load_colorizer(model=file)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(DataError, match="is no model of Keras 3"):
        load_colorizer(model=file)


@pytest.mark.slow
def test_how_a_network_was_compiled_is_not_read(tmp_path: Path) -> None:
    file, canary = tmp_path / "own.keras", tmp_path / "canary"
    network().save(file)
    evil = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    loss = {"module": "evil", "class_name": "Loss", "config": {"command": f"touch {canary}"}, "registered_name": None}
    rewritten(file, lambda config: {**config, "compile_config": {"loss": loss, "optimizer": evil}})
    assert load_colorizer(model=file).image_size == 32
    assert not canary.exists()


def test_rebalancing_is_taken_out_of_a_distribution_as_if_less_had_been_learnt() -> None:
    model = network(outputs=6)
    weights = np.array([0.2, 0.5, 1.0, 2.0, 5.0, 9.0])
    L = np.random.default_rng(0).random((1, 32, 32, 1), np.float32)

    def distribution() -> Any:
        return keras.ops.convert_to_numpy(keras.ops.softmax(model(L, training=False)))

    learnt = distribution()
    lessen_rebalancing(model, weights, kept=1.0)
    np.testing.assert_array_equal(distribution(), learnt)
    lessen_rebalancing(model, weights, kept=0.25)
    expected = learnt * weights**-0.75
    np.testing.assert_allclose(distribution(), expected / expected.sum(-1, keepdims=True), rtol=1e-5)
    with pytest.raises(ValueError, match="class_weights"):
        lessen_rebalancing(model, weights[1:], kept=0.5)
    with pytest.raises(ValueError, match="kept"):
        lessen_rebalancing(model, weights, kept=1.5)


def test_large_squares_are_coloured_fewer_at_a_time(tmp_path: Path) -> None:
    inputs = keras.Input((1024, 1024, 1))
    keras.Model(inputs, keras.layers.Conv2D(16, 1)(inputs)).save(tmp_path / "wide.keras")
    keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Conv2D(16, 1)]).save(tmp_path / "small.keras")
    assert read_keras_file(tmp_path / "wide.keras").batch_size == 21
    assert read_keras_file(tmp_path / "small.keras").batch_size > 1000


@pytest.mark.slow
def test_the_network_of_a_run_is_bounded_and_must_give_the_colours_of_its_configuration(tmp_path: Path) -> None:
    color = ColorConfig(grid_step=10, soft_bins=5, soft_sigma=5, prior_sigma=5, temperature=0.38)
    file = tmp_path / "model.keras"
    network(2).save(file)
    assert colorizer_of_run(file, color, "baseline").name == "baseline"
    inputs = keras.Input((8, 8, 1))
    keras.Model(inputs, keras.layers.Conv2D(35, 1)(inputs)).save(file)
    with pytest.raises(DataError, match=r"colours no photographs: .* each of the 313 .* \(8, 8, 1\) to \(8, 8, 35\)"):
        colorizer_of_run(file, color, "baseline")
    with pytest.raises(DataError, match="colours no photographs"):
        load_served(file, {"color": color.model_dump()})
    layer = keras.layers.UpSampling2D(2)
    keras.Model(inputs, layer(inputs)).save(file)
    rewritten(file, lambda config: json.loads(json.dumps(config).replace('"size": [2, 2]', '"size": [30000, 30000]')))
    for load in (lambda: colorizer_of_run(file, color, "x"), lambda: load_served(file, {"color": color.model_dump()})):
        with pytest.raises(DataError, match=r"takes [\d,.]+ GiB for one example"):
            load()
