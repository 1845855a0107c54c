"""Files of weights: what PyTorch and safetensors wrote is read; what is hostile or damaged is refused in one line."""

import os
import pickle
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from ablate.errors import DataError
from ablate.import_weights.checkpoint import opened_weights
from ablate.import_weights.tensors import LARGEST_FILE
from tests.support.torch_files import state_dict, write_legacy, write_safetensors, write_zip

DATA = Path(__file__).parent / "data"
"""Written by PyTorch 2.13 and safetensors 0.8: a state_dict, in each format the same, and a pickled module."""
BASE = np.arange(24, dtype=np.float32).reshape(4, 6)
SAVED = {
    "0.weight": np.arange(6).reshape(3, 2, 1, 1),
    "0.bias": np.arange(10, 13),
    "1.weight": np.arange(20, 23),
    "1.bias": np.arange(30, 33),
    "1.running_mean": np.arange(40, 43),
    "1.running_var": np.arange(50, 53),
    "1.num_batches_tracked": np.array(60),
    "view": BASE[1:3, 2:],
    "turned": BASE.T,
    "half": np.array([0.5, -2]),
    "brain": np.array([0.5, -2]),
    "double": np.array([0.1, 0.2], np.float32),
    "parameter": np.array([7]),
}
TWO = {"one": np.arange(3, dtype=np.float32), "two": np.arange(4.0).reshape(2, 2)}


def read_all(path: Path) -> None:
    with opened_weights(path) as tensors:
        for tensor in tensors.values():
            tensor.read()


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_all(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300 + len(str(path))
    return message


@pytest.mark.parametrize("name", ["new.pth", "old.pth", "new.safetensors"])
def test_what_pytorch_and_safetensors_wrote_is_read(name: str) -> None:
    with opened_weights(DATA / name) as tensors:
        assert {name: tensor.shape for name, tensor in tensors.items()} == {n: v.shape for n, v in SAVED.items()}
        for each, tensor in tensors.items():
            value = tensor.read()
            assert value.dtype == (np.int64 if tensor.dtype == "int64" else np.float32)
            np.testing.assert_array_equal(value, SAVED[each], err_msg=each)


@pytest.mark.parametrize("write", [write_zip, write_legacy, write_safetensors])
def test_what_the_tests_write_is_read(write: Callable[..., Path], tmp_path: Path) -> None:
    with opened_weights(write(tmp_path / "two", TWO)) as tensors:
        assert {name: tensor.read().tolist() for name, tensor in tensors.items()} == {
            name: array.tolist() for name, array in TWO.items()
        }


@pytest.mark.parametrize("name", ["new.pth", "old.pth", "new.safetensors"])
def test_no_part_of_a_file_is_taken_for_the_whole(name: str, tmp_path: Path) -> None:
    content = (DATA / name).read_bytes()
    for length in (0, 7, 16, 100, 300, len(content) // 2, len(content) - 1):
        (tmp_path / name).write_bytes(content[:length])
        refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["new.pth", "old.pth", "new.safetensors", "module.pth"])
def test_any_damaged_byte_is_an_error_or_another_number(name: str, tmp_path: Path) -> None:
    content, random = (DATA / name).read_bytes(), np.random.default_rng(0)
    for place in random.integers(0, len(content), 150):
        damaged = bytearray(content)
        damaged[place] = random.integers(256)
        (tmp_path / name).write_bytes(damaged)
        with suppress(DataError):
            read_all(tmp_path / name)


class Runs:
    """What runs a command where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("kind", ["zip", "legacy", "bare"])
def test_code_in_a_pickle_is_named_and_not_executed(kind: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    evil = pickle.dumps({"model1.0.weight": Runs()}, 2)
    path = tmp_path / "evil.pth"
    if kind == "zip":
        write_zip(path, {}, head=evil)
    elif kind == "legacy":
        path.write_bytes(write_legacy(path, TWO).read_bytes().replace(state_dict(TWO, legacy=True), evil))
    else:
        path.write_bytes(evil)
    assert "its pickle calls posix.system, which no weights need. Nothing of it was executed" in refusal(path)
    assert not (tmp_path / "executed").exists()


def test_a_pickled_module_is_no_state_dict() -> None:
    assert "torch.nn.modules.container.Sequential, which no weights need" in refusal(DATA / "module.pth")


SHARED = b"\x80\x02))\x86q\x00" + b"".join(b"h%c\x86q%c" % (i, i + 1) for i in range(150))
"""A tuple of two tuples of two tuples, 150 times: to compare, hash or print it takes 2^150 steps."""


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        (SHARED + b".", "it holds a tuple"),
        (b"\x80\x02}" + SHARED[2:] + b"K\x01s.", "keys of the type tuple"),
        (b"\x80\x02(X\x07\0\0\0storage" + SHARED[2:] + b"X\1\0\0\0aX\1\0\0\0aK\1tQ.", "a type that is none"),
        (SHARED + b")R.", "in a way that torch.save does not"),
        (b"\x80\x02N" + b"r\xff\xff\xff\x7f" + b".", "it holds a NoneType"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "damaged|opcode|bytes"),
        (b"\x80\x02(" * 10, "damaged|no end|exhausted"),
        (b"\x80\x02" + b"N0" * 200_000 + b".", "opcode POP"),
        (b"\x80\x02" + b"N" * 200_000 + b".", "more than 100,000 steps"),
        (b"\x80\x02cos\nsystem\n.", "os.system"),
        (b"\x80\x02cbuiltins\neval\x1b[2J\n.", r"builtins\.eval\?\[2J"),
        (b"(S'touch executed'\nios\nsystem\n.", "opcode"),
        (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x02K\x03K\x04tR.", "damaged|cannot be"),
        (b"\x80\x02]q\x00h\x00a.", "it holds a list"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
@pytest.mark.timeout(20)
def test_hostile_pickles_are_refused(pickled: bytes, reason: str, tmp_path: Path) -> None:
    message = refusal(write_zip(tmp_path / "evil.pth", {}, head=pickled))
    assert re.search(reason, message), message
    assert message.isprintable()


def test_hostile_zips_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    assert "is compressed or encrypted" in refusal(write_zip(path, TWO, compression=zipfile.ZIP_DEFLATED))
    assert "and at most 1,048,576 are expected" in refusal(write_zip(path, {}, head=b"N" * 2_000_000))
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(2100):
            archive.writestr(f"archive/{number}", b"")
    assert "more than 2,000 members" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../etc/data.pkl", state_dict(TWO, legacy=False))
    assert "it has no member ../../etc/data/0" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("anything", b"text")
    assert "it must have one member data.pkl" in refusal(path)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}', "wrong about 'a'"),
        (b'{"a":{"dtype":"F32","shape":[1e9],"data_offsets":[0,4]}}', "wrong about 'a'"),
        (b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[4,0]}}', "wrong about 'a'"),
        (b'{"a":{"dtype":"F32","shape":[99999999999999],"data_offsets":[0,4]}}', "wrong about 'a'"),
        (b'{"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}}', "wrong about 'a'"),
        (b'{"a":[]}', "wrong about 'a'"),
        (b"{" + b"[" * 50_000, "no JSON"),
        (b"[1]", "neither"),
    ],
)
def test_hostile_headers_of_safetensors_are_refused(header: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "evil.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    assert reason in refusal(path)
    path.write_bytes(b"\xff" * 7 + b"\x7f" + header)
    assert "its header would have" in refusal(path) or header[:1] == b"["


def test_what_is_no_file_of_weights_is_said(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "none.pth")
    assert "there is no file" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.pth")
    assert "there is no file" in refusal(tmp_path / "pipe.pth")
    assert "there is no file" in refusal(Path("/dev/zero"))
    (tmp_path / "text.pth").write_text("weights, they said, but this is text")
    assert "neither a file of torch.save nor of the format safetensors" in refusal(tmp_path / "text.pth")
    with (tmp_path / "large.pth").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    assert "weights have at most 536,870,912" in refusal(tmp_path / "large.pth")


def test_the_digest_in_a_file_s_name_must_be_its_own(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net-9b330a0b.pth", TWO)
    assert "its name says SHA-256 9b330a0b, and it has" in refusal(path)
    digest = refusal(path).split("it has ")[1][:8]
    with opened_weights(path.rename(tmp_path / f"net-{digest}.pth")) as tensors:
        assert tensors.keys() == TWO.keys()


def test_a_tensor_stays_within_its_numbers(tmp_path: Path) -> None:
    good = state_dict(TWO, legacy=False)
    shape = b"(J\x03\x00\x00\x00t"
    for other in (b"(J\x04\x00\x00\x00t", b"(J\xff\xff\xff\x7ft"):
        assert "reaches beyond its 3 numbers" in refusal(
            write_zip(tmp_path / "evil.pth", TWO, head=good.replace(shape, other, 1))
        )
    negative = good.replace(shape, b"(J\xff\xff\xff\xfft", 1)
    assert "a tensor that cannot be" in refusal(write_zip(tmp_path / "evil.pth", TWO, head=negative))
