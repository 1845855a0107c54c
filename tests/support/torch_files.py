"""Files of `torch.save` and safetensors, written without PyTorch; random tensors in the released layout."""

import json
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.model.architecture import Layer
from ablate.import_weights.release import MODEL_OUT, sources

Arrays = Mapping[str, npt.NDArray[np.generic]]

_STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}


def released_tensors(layers: Sequence[Layer], *, inputs: int = 1, seed: int = 0) -> dict[str, npt.NDArray[np.generic]]:
    """Return random tensors in the released layout for the layers of a network of any width."""
    random = np.random.default_rng(seed)
    found: dict[str, npt.NDArray[np.generic]] = {}
    channels, by_name = inputs, {layer.name: layer for layer in layers}
    for source in sources(layers).values():
        layer, kind = by_name[source.layer], source.tensor.rpartition(".")[2]
        if layer.kind == "batch_norm":
            low, high = (0.5, 1.5) if kind in ("weight", "running_var") else (-0.5, 0.5)
            found[source.tensor] = random.uniform(low, high, channels).astype(np.float32)
            found[source.tensor.rpartition(".")[0] + ".num_batches_tracked"] = np.array(1000)
        elif kind == "weight":
            ends = (channels, layer.filters) if layer.kind == "transposed" else (layer.filters, channels)
            scale = np.sqrt(2 / (channels * layer.kernel**2))
            found[source.tensor] = random.normal(0, scale, (*ends, layer.kernel, layer.kernel)).astype(np.float32)
            channels = layer.filters
        else:
            found[source.tensor] = random.uniform(-0.5, 0.5, channels).astype(np.float32)
    found[MODEL_OUT] = (ab_gamut(10).T / 110)[:, :, None, None].astype(np.float32)
    return found


def write_zip(path: Path, arrays: Arrays, *, compression: int = zipfile.ZIP_STORED, head: bytes | None = None) -> Path:
    """Write a file as PyTorch 1.6 and later do, or one with another pickle."""
    arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", state_dict(arrays, legacy=False) if head is None else head)
        archive.writestr("archive/byteorder", "little")
        for number, array in enumerate(arrays.values()):
            archive.writestr(f"archive/data/{number}", array.tobytes())
    return path


def write_legacy(path: Path, arrays: Arrays) -> Path:
    """Write a file as PyTorch did before 1.6."""
    with path.open("wb") as file:
        for each in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}):
            pickle.dump(each, file, 2)
        file.write(state_dict(arrays, legacy=True))
        pickle.dump([str(number) for number in range(len(arrays))], file, 2)
        for array in arrays.values():
            file.write(array.size.to_bytes(8, "little") + array.tobytes())
    return path


def write_safetensors(path: Path, arrays: Arrays) -> Path:
    """Write a file in the format safetensors."""
    header, place = {}, 0
    for name, array in arrays.items():
        dtype = {"f": "F", "i": "I"}[array.dtype.kind] + str(8 * array.itemsize)
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [place, place + array.nbytes]}
        place += array.nbytes
    text = json.dumps(header).encode()
    contents = b"".join(array.tobytes() for array in arrays.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + contents)
    return path


def state_dict(arrays: Arrays, *, legacy: bool) -> bytes:
    """Return the pickle of a state_dict, each tensor with a storage of its own."""
    items = b"".join(
        _text(name) + _tensor(number, array, legacy) for number, (name, array) in enumerate(arrays.items())
    )
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + items + b"u."


def _tensor(number: int, array: npt.NDArray[np.generic], legacy: bool) -> bytes:
    storage = f"ctorch\n{_STORAGES[array.dtype.str[1:]]}\n".encode()
    identity = b"(" + _text("storage") + storage + _text(str(number)) + _text("cpu") + _int(array.size)
    strides = [stride // array.itemsize for stride in array.strides]
    sides = b"".join(b"(" + b"".join(map(_int, numbers)) + b"t" for numbers in (array.shape, strides))
    hooks = b"ccollections\nOrderedDict\n)R"
    arguments = b"(" + identity + (b"N" if legacy else b"") + b"tQ" + _int(0) + sides + b"\x89" + hooks + b"t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"


def _text(text: str) -> bytes:
    return b"X" + len(text.encode()).to_bytes(4, "little") + text.encode()


def _int(number: int) -> bytes:
    return b"J" + number.to_bytes(4, "little")
