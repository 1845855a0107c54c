"""A `.keras` file from anywhere: what it may ask for is bounded before Keras, or HDF5, gives it."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from ablate.errors import DataError
from ablate.keras_files.read import Network, load_model, load_network

Layer = Callable[[Any], Any]
CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def model(*layers: Layer) -> keras.Model:
    tensor = inputs = keras.Input((16, 16, 1), name="L")
    for layer in layers:
        tensor = layer(tensor)
    return keras.Model(inputs, tensor)


def members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(file: Path, contents: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def edited(file: Path, network: keras.Model, old: str, new: str) -> Path:
    """Save a network, and change the text of its configuration."""
    network.save(file)
    contents = members(file)
    text = contents[CONFIG].decode()
    assert old in text
    return write(file, {**contents, CONFIG: text.replace(old, new).encode()})


def refusal(file: Path, load: Callable[[Path], Any] = load_network) -> str:
    with pytest.raises(DataError) as caught:
        load(file)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    return str(caught.value)


layers = keras.layers
conv, up = layers.Conv2D, layers.UpSampling2D
TOO_MUCH = r"takes [\d,.]+ GiB for one example, at most 2 GiB are given"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "old", "new", "message"),
    [
        (lambda: model(conv(4, 1), conv(2, 1)), '"filters": 4', '"filters": 10000000000', "has weights of 149 GiB"),
        (
            lambda: model(conv(2, 5)),
            '"kernel_size": [5, 5]',
            '"kernel_size": [1, 1], "lora_rank": 999999999',
            "has weights",
        ),
        (lambda: model(up(3), conv(2, 1, 3)), '"size": [3, 3]', '"size": [30000, 30000]', TOO_MUCH),
        (lambda: model(up(3, interpolation="bilinear")), '"size": [3, 3]', '"size": [3000, 3000]', TOO_MUCH),
        (lambda: model(layers.ZeroPadding2D(3)), "[[3, 3], [3, 3]]", "[[3, 90000], [3, 90000]]", TOO_MUCH),
        (
            lambda: model(layers.SeparableConv2D(2, 1)),
            '"depth_multiplier": 1',
            '"depth_multiplier": 3000000',
            TOO_MUCH,
        ),
        (
            lambda: model(layers.Conv2DTranspose(2, 3)),
            '"kernel_size": [3, 3]',
            '"kernel_size": [2048, 2048]',
            TOO_MUCH,
        ),
        (lambda: model(model(up(3))), '"size": [3, 3]', '"size": [30000, 30000]', TOO_MUCH),
        (lambda: model(conv(2, 1), conv(2, 1, groups=2)), "", "", "as of convolutions in groups"),
        (lambda: model(layers.AdaptiveMaxPooling2D(4)), "", "", r"keras\.layers\.AdaptiveMaxPooling2D"),
        (lambda: model(lambda x: keras.ops.repeat(x, 3, 1)), "", "", r"keras\.src\.ops\.numpy\.Repeat"),
    ],
)
def test_a_network_that_asks_for_too_much_is_refused_before_it_is_made(
    network: Callable[[], keras.Model], old: str, new: str, message: str, tmp_path: Path
) -> None:
    said = refusal(edited(tmp_path / "bomb.keras", network(), old, new))
    assert re.fullmatch(f".*bomb.keras is refused: .*{message}.*", said), said


def test_what_it_says_of_how_layers_were_built_is_not_believed(tmp_path: Path) -> None:
    file = edited(
        tmp_path / "net.keras",
        model(conv(4, 1)),
        '"build_config": {"input_shape": [null, 16, 16, 1]',
        '"build_config": {"input_shape": [null, 16, 16, 99999999999]',
    )
    assert load_network(file).model.output_shape == (None, 16, 16, 4)


def test_layers_that_are_called_with_numbers_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "bomb.keras"
    model(up(3), up(2)).save(file)
    contents = members(file)
    config = json.loads(contents[CONFIG])
    last = config["config"]["layers"][-1]
    hidden = {"module": "keras.initializers", "class_name": "Zeros", "config": last["inbound_nodes"][0]["args"][0]}
    for args in ([[[[[1.0]]]]], [[[[[1.0]]]], hidden], []):
        last["inbound_nodes"][0]["args"] = args
        write(file, {**contents, CONFIG: json.dumps(config).encode()})
        assert refusal(file) == f"{file} is refused: it calls UpSampling2D without a tensor"
    last["inbound_nodes"] = 5
    write(file, {**contents, CONFIG: json.dumps(config).encode()})
    assert "cannot be loaded" in refusal(file)


def hdf5(fill: Callable[[h5py.Group], None]) -> bytes:
    """Return the weights of a network with one convolution of one channel, of which `fill` writes the kernel."""
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        group = content.create_group("layers/conv2d/vars")
        group["1"] = np.zeros(1, np.float32)
        fill(group)
    return file.getvalue()


SHAPE, HUGE = (1, 1, 1, 1), (2**20, 2**20)


def virtual(group: h5py.Group) -> None:
    layout = h5py.VirtualLayout(SHAPE, "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", SHAPE)
    group.create_virtual_dataset("0", layout)


def linked(link: Any) -> Callable[[h5py.Group], None]:
    def fill(group: h5py.Group) -> None:
        group["0"] = link

    return fill


def with_attribute(group: h5py.Group) -> None:
    group["0"] = np.zeros(SHAPE, np.float32)
    group["0"].attrs["dtype"] = "x" * 60_000


def looped(group: h5py.Group) -> None:
    group["0"] = np.zeros(SHAPE, np.float32)
    group.file["loop"] = group.file["layers"]
    group.file["loop/more"] = group.file["/"]


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (lambda group: group.create_dataset("0", HUGE, "f4", chunks=(2**10, 2**10)), "is no array of numbers in one"),
        (lambda group: group.create_dataset("0", data=np.zeros(10**6, "f4"), compression="gzip"), "is no array of"),
        (lambda group: group.create_dataset("0", HUGE, "f4"), "/layers/conv2d/vars/0 in its weights is no array of"),
        (lambda group: group.create_dataset("0", SHAPE, "f4", external=[("/etc/passwd", 0, 4)]), "is no array of"),
        (lambda group: group.create_dataset("0", data=["text"]), "is no array of numbers"),
        (lambda group: group.create_dataset("0", dtype="f4", data=h5py.Empty("f4")), "is no array of numbers"),
        (lambda group: group.create_dataset("0", SHAPE, np.dtype(("f4", (2**20,)))), "is no array of numbers"),
        (virtual, "is no array of numbers"),
        (linked(h5py.SoftLink("/layers/conv2d/vars/1")), "/layers/conv2d/vars/0 in its weights lies elsewhere"),
        (linked(h5py.ExternalLink("/etc/passwd", "/x")), "/layers/conv2d/vars/0 in its weights lies elsewhere"),
        (linked(np.dtype("f4")), "is no array of numbers"),
        (with_attribute, None),
        (looped, None),
    ],
)
def test_weights_take_no_more_than_the_file_has(
    fill: Callable[[h5py.Group], None], message: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "net.keras"
    model(conv(1, 1, name="conv2d")).save(file)
    write(file, {**members(file), WEIGHTS: hdf5(fill)})
    if message is None:
        assert isinstance(load_network(file), Network)
    else:
        assert message in refusal(file)


def test_damaged_files_are_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "net.keras"
    model(conv(1, 1, name="conv2d")).save(file)
    contents = members(file)
    good = write(file, contents, zipfile.ZIP_DEFLATED).read_bytes()
    place = good.index(b"config.json") + len("config.json")
    # Deflate, a password, a cut, and bytes here and there.
    damaged = [good[: place + 9] + b"\xff" * 30 + good[place + 39 :], good[: len(good) // 2]]
    entry = good.rindex(b"PK\x01\x02")
    damaged.append(good[: entry + 8] + b"\x01" + good[entry + 9 :])
    for each in damaged:
        file.write_bytes(each)
        assert "is no model of Keras 3" in refusal(file)
    weights = contents[WEIGHTS]
    for start in range(0, len(weights), len(weights) // 12):
        torn = weights[:start] + bytes([weights[start] ^ 0x55]) + weights[start + 1 :]
        write(file, {**contents, WEIGHTS: torn})
        # Whether it can be used depends on the byte.
        with suppress(DataError):
            load_network(file)
    write(file, {**contents, WEIGHTS: b"no HDF5"})
    assert "is refused: its weights cannot be read" in refusal(file)


@keras.saving.register_keras_serializable("own")
class Scaled(keras.layers.Layer):
    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def recurrent() -> keras.Model:
    words = keras.Input((None,), dtype="int32")
    found = layers.LSTM(3)(layers.Embedding(10, 4)(words))
    return keras.Model(words, Scaled()(found))


def vocabulary() -> keras.Model:
    words = keras.Input((1,), dtype="string")
    return keras.Model(words, layers.StringLookup(vocabulary=["a", "b"])(words))


def augmenting() -> keras.Model:
    return model(layers.RandomFlip(seed=0), conv(4, 1), conv(4, 1, groups=2), lambda x: keras.ops.repeat(x, 2, 1))


@pytest.mark.slow
@pytest.mark.parametrize("made", [recurrent, vocabulary, augmenting])
def test_a_model_of_any_task_is_loaded_with_layers_of_its_own(made: Callable[[], keras.Model], tmp_path: Path) -> None:
    file, saved = tmp_path / "net.keras", made()
    saved.compile("adam", "mse")
    saved.save(file)
    found = load_model(file)
    assert not found.compiled
    for one, other in zip(saved.weights, found.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "old", "new", "message"),
    [
        (lambda: model(conv(4, 1)), '"filters": 4', '"filters": 10000000000', "has weights of "),
        (recurrent, '"input_dim": 10', '"input_dim": 10000000000', "has weights of 149 GiB, at most 1 GiB are read"),
        (lambda: model(layers.Lambda(lambda x: x)), "", "", "Lambda"),
        (lambda: model(layers.ReLU()), '"ReLU"', '"Unknown"', "Unknown"),
        (lambda: model(up(2)), '"__keras_tensor__"', '"__numpy__"', "it calls UpSampling2D without a tensor"),
    ],
)
def test_a_model_of_any_task_is_bounded_too(
    made: Callable[[], keras.Model], old: str, new: str, message: str, tmp_path: Path
) -> None:
    assert message in refusal(edited(tmp_path / "bomb.keras", made(), old, new), load_model)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("member", ["../outside", "assets/../../outside", "data.npz", CONFIG])
def test_a_file_with_other_parts_is_refused(member: str, tmp_path: Path) -> None:
    file = tmp_path / "net.keras"
    model(conv(1, 1)).save(file)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(member, b"{}")
    for load in (load_network, load_model):
        assert "is no model of Keras 3: it must hold" in refusal(file, load)


def test_parts_that_unpack_to_more_than_memory_should_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "net.keras"
    model(conv(1, 1)).save(file)
    monkeypatch.setattr("ablate.keras_files.read._MAX_WEIGHTS", 2**20)
    write(file, {**members(file), "assets/zeros": bytes(2**20)}, zipfile.ZIP_DEFLATED)
    assert "is refused: unpacked it has more than" in refusal(file, load_model)
