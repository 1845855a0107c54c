import hashlib

import numpy as np

from ablate.colorization.data.local import decode_files
from ablate.colorization.data.photographs import BadPhotograph, Photograph


def test_a_scan_keeps_the_order_and_names_what_is_bad(tmp_path, noise, encode):
    contents = [encode(noise(seed, height=8 + seed % 5)) for seed in range(70)]
    contents[3] = b"no picture"
    contents[66] = b""
    paths = []
    for place, content in enumerate(contents):
        path = tmp_path / f"{place}.png"
        path.write_bytes(content)
        paths.append((f"name {place}", path))
    paths.insert(10, ("gone", tmp_path / "gone.png"))
    paths.insert(11, ("folder", tmp_path))
    results = list(decode_files(paths, np.asarray, progress="Reading"))
    names = [result.name if isinstance(result, BadPhotograph) else result[0].name for result in results]
    assert names == [name for name, _ in paths]
    bad = {result.name: result.reason for result in results if isinstance(result, BadPhotograph)}
    assert bad == {
        "name 3": "no JPEG, PNG or WebP picture",
        "name 66": "no JPEG, PNG or WebP picture",
        "gone": "No such file or directory",
        "folder": "Is a directory",
    }
    photograph, image = results[0]
    digest = hashlib.sha256(contents[0]).hexdigest()
    assert photograph == Photograph("name 0", digest, tmp_path / "0.png")
    np.testing.assert_array_equal(image, noise(0, height=8))


def test_scanning_nothing_gives_nothing():
    assert list(decode_files([], np.asarray, progress="Reading")) == []


def sparse(path, size):
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_a_file_too_large_to_be_a_photograph_is_not_read(tmp_path):
    path = sparse(tmp_path / "sparse.jpg", 2**40)
    (found,) = decode_files([("sparse.jpg", path)], lambda image: None, progress="")
    assert str(found) == "sparse.jpg (1,099,511,627,776 bytes; at most 536,870,912 are read)"
