"""The released network: its weights give the same logits here, and what is another network is refused by name."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import Layer
from ablate.colorization.model.backbone import build_backbone
from ablate.import_weights.checkpoint import opened_weights
from ablate.import_weights.release import MODEL_OUT, set_released_weights, sources
from tests.support.levels import variant_layers
from tests.support.released import released_logits
from tests.support.torch_files import Arrays, released_tensors, write_zip

SIDE = 32


Imported = Callable[[Arrays], keras.Model]


@pytest.fixture(scope="module")
def layers() -> list[Layer]:
    return variant_layers(width=1 / 32)


@pytest.fixture(scope="module")
def arrays(layers: list[Layer]) -> Arrays:
    return released_tensors(layers)


@pytest.fixture(scope="module")
def model(layers: list[Layer]) -> keras.Model:
    return build_backbone(layers, side=SIDE)


@pytest.fixture
def imported(model: keras.Model, layers: list[Layer], tmp_path: Path) -> Imported:
    """Set the weights of the one small model from tensors that are written and read."""

    def call(arrays: Arrays) -> keras.Model:
        with opened_weights(write_zip(tmp_path / "net.pth", arrays)) as tensors:
            set_released_weights(model, layers, tensors)
        return model

    return call


def lightness(side: int = SIDE, number: int = 2) -> npt.NDArray[np.float32]:
    return np.random.default_rng(7).uniform(0, 100, (number, side, side)).astype(np.float32)


def logits_of(model: keras.Model, L: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(model.predict_on_batch((L[..., None] - 50) / 100))


def test_the_released_names_are_those_of_the_authors_code() -> None:
    names = {source.layer: source.tensor.rpartition(".")[0] for source in sources(variant_layers()).values()}
    assert {layer: names[layer] for layer in ("conv1_1", "conv1_2", "norm1", "conv3_3", "norm3", "conv7_3")} == {
        "conv1_1": "model1.0",
        "conv1_2": "model1.2",
        "norm1": "model1.4",
        "conv3_3": "model3.4",
        "norm3": "model3.6",
        "conv7_3": "model7.4",
    }
    assert [names[layer] for layer in ("conv8_up", "conv8_2", "conv8_3", "head")] == [
        f"model8.{place}" for place in (0, 2, 4, 6)
    ]


def test_the_logits_are_those_of_a_forward_pass_in_numpy(arrays: Arrays, imported: Imported) -> None:
    L = lightness()
    expected = np.stack([released_logits(arrays, each) for each in L])
    assert expected.std() > 0.1
    np.testing.assert_allclose(logits_of(imported(arrays), L), expected, atol=1e-4)


@pytest.mark.slow
def test_the_logits_are_those_of_pytorch_at_the_published_size(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from tests.support.released_torch import released_network

    layers = variant_layers()
    arrays, L = released_tensors(layers), lightness(256, number=1)
    network = released_network()
    network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
    expected = network.eval().logits(torch.from_numpy(L)[:, None]).numpy().transpose(0, 2, 3, 1)
    torch.save(network.state_dict(), tmp_path / "net.pth")
    model = build_backbone(layers, side=256)
    with opened_weights(tmp_path / "net.pth") as tensors:
        set_released_weights(model, layers, tensors)
    assert sum(weight.numpy().size for weight in model.trainable_weights) == 32_235_385
    np.testing.assert_allclose(logits_of(model, L), expected, atol=1e-4 * expected.std())


def test_classes_in_another_order_are_put_in_the_published_one(arrays: Arrays, imported: Imported) -> None:
    order = np.random.default_rng(1).permutation(len(ab_gamut(10)))
    turned = {**arrays, **{name: arrays[name][order] for name in ("model8.6.weight", "model8.6.bias")}}
    turned[MODEL_OUT] = arrays[MODEL_OUT][:, order]
    L = lightness()
    expected = logits_of(imported(arrays), L)
    np.testing.assert_array_equal(logits_of(imported(turned), L), expected)


def changed(arrays: Arrays, name: str, **places: float) -> Arrays:
    value = np.array(arrays[name])
    for place, number in places.items():
        value.flat[int(place.removeprefix("at"))] = number
    return {**arrays, name: value}


def test_another_network_is_refused_by_the_name_of_the_layer(arrays: Arrays, imported: Imported) -> None:
    siggraph = {"model1.0.weight": arrays["model1.0.weight"], "model8up.0.weight": arrays["model8.0.weight"]}
    without = {name: value for name, value in arrays.items() if name != "model3.4.bias"}
    cases: list[tuple[Arrays, str]] = [
        (siggraph, "it lacks model1.0.bias (layer conv1_1): it is not the released network eccv16"),
        (without, "it lacks model3.4.bias (layer conv3_3)"),
        ({**arrays, "model9.0.bias": arrays["model3.4.bias"]}, "it has a tensor that eccv16 has not: model9.0.bias"),
        ({**arrays, "model3.4.bias": np.zeros(9, np.float32)}, "model3.4.bias (layer conv3_3) must have shape (8,)"),
        ({**arrays, "model8.0.weight": arrays["model8.0.weight"].transpose(1, 0, 2, 3)}, "(layer conv8_up) must have"),
        ({**arrays, "model3.4.bias": np.zeros(8, np.int64)}, "(layer conv3_3) must hold floats. Received: int64"),
        (changed(arrays, "model2.4.running_var", at1=-1), "model2.4.running_var (layer norm2) holds negative"),
        (changed(arrays, "model8.6.weight", at3=np.nan), "model8.6.weight (layer head) holds NaN"),
        (changed(arrays, MODEL_OUT, at0=0.5), "decodes to other colours than the 313 classes: one of them is 10.0"),
        ({name: value for name, value in arrays.items() if name != MODEL_OUT}, "it lacks model_out.weight"),
    ]
    for tensors, reason in cases:
        with pytest.raises(Exception, match="cannot be imported") as caught:
            imported(tensors)
        assert reason in str(caught.value)


def test_numbers_of_another_precision_are_the_same_network(arrays: Arrays, imported: Imported) -> None:
    double = {name: value.astype(np.float64) if value.dtype == np.float32 else value for name, value in arrays.items()}
    L = lightness()
    expected = logits_of(imported(arrays), L)
    np.testing.assert_array_equal(logits_of(imported(double), L), expected)
