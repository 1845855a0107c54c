"""A tracked network as MLflow serves it: every form of a picture, what is refused, and a server really started."""

import base64
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile
from mlflow.exceptions import MlflowException
from PIL import ExifTags, Image, ImageOps

from ablate.archive.read import opened_archive
from ablate.archive.transfer import export_study, import_archive
from ablate.colorization.color.lab import pixels_to_lab
from ablate.colorize.pictures import pictures_of
from ablate.errors import DataError
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.servers import free_port

Pixels = npt.NDArray[np.uint8]
PAGE = (Path(__file__).parents[2] / "docs" / "colorize.md").read_text()
CURL = next(block for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) if "curl" in block)
y, x = np.mgrid[:40, :60]
PHOTO: Pixels = np.stack([4 * x, 6 * y, 255 - 4 * x], axis=-1).astype(np.uint8)
SMALL: Pixels = PHOTO[:20, :30]


def encoded(pixels: Pixels, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=kind, **options)
    return file.getvalue()


def decoded(content: bytes, kind: str = "PNG") -> Pixels:
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == kind
        return np.asarray(picture)


def bomb(side: int) -> bytes:
    """Return a PNG file of a few bytes whose header claims a square."""
    content = encoded(SMALL)
    header = b"IHDR" + struct.pack(">II5B", side, side, 8, 2, 0, 0, 0)
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


PNG, JPEG, WEBP = encoded(PHOTO), encoded(PHOTO, "JPEG"), encoded(PHOTO, "WEBP", lossless=True)
Predict = Callable[..., Any]


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    """Models that were loaded, by their address."""
    return {}


@pytest.fixture
def predict(network: str, loaded: dict[str, Any]) -> Predict:
    if network not in loaded:
        loaded[network] = mlflow.pyfunc.load_model(network)
    return loaded[network].predict  # type: ignore[no-any-return]


@pytest.mark.slow
def test_pictures_of_every_form_come_back_as_they_came(predict: Predict) -> None:
    wanted = predict(PHOTO)
    assert (wanted.shape, wanted.dtype) == (PHOTO.shape, np.uint8)
    assert not np.array_equal(wanted, PHOTO)
    assert np.abs(pixels_to_lab(wanted)[..., 0] - pixels_to_lab(PHOTO)[..., 0]).max() < 0.5

    np.testing.assert_array_equal(decoded(predict(PNG)), wanted)
    np.testing.assert_array_equal(decoded(predict(WEBP), "WEBP"), wanted)
    np.testing.assert_array_equal(decoded(base64.b64decode(predict(base64.encodebytes(PNG).decode()))), wanted)
    np.testing.assert_array_equal(predict(PHOTO.tolist()), wanted)
    np.testing.assert_array_equal(predict(np.stack([PHOTO, PHOTO]))[1], wanted)
    np.testing.assert_array_equal(predict({"picture": [PHOTO]})["picture"][0], wanted)

    several = predict([PHOTO, SMALL, JPEG])
    np.testing.assert_array_equal(several[0], wanted)
    assert [several[1].shape, decoded(several[2], "JPEG").shape] == [SMALL.shape, PHOTO.shape]
    assert [each.shape for each in predict([PHOTO.tolist(), SMALL.tolist()])] == [PHOTO.shape, SMALL.shape]

    frame = predict(pd.DataFrame({"name": ["a", "b"], "picture": [PNG, SMALL]}, index=[7, 3]))
    assert (list(frame), list(frame.index)) == (["picture"], [7, 3])
    np.testing.assert_array_equal(decoded(frame["picture"][7]), wanted)
    series = predict(pd.Series([PNG, JPEG], name="mine"))
    assert (series.name, len(series)) == ("mine", 2)


@pytest.mark.slow
def test_an_encoded_picture_is_answered_by_the_file_that_the_command_makes_of_it(predict: Predict) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Camera"
    turned = predict(encoded(np.rot90(PHOTO), exif=exif))
    with Image.open(io.BytesIO(turned)) as picture:
        assert picture.getexif()[ExifTags.Base.Make] == "Camera"
        upright = np.asarray(ImageOps.exif_transpose(picture), int)
    assert np.abs(upright - predict(PHOTO)).max() <= 3
    deep = np.repeat(np.arange(2400, dtype=np.uint16).reshape(40, 60)[..., None] * 27, 3, axis=-1)
    file = io.BytesIO()
    tifffile.imwrite(file, deep, photometric="rgb")
    assert tifffile.imread(io.BytesIO(predict(file.getvalue()))).dtype == np.uint16


@pytest.mark.slow
def test_grey_pictures_get_the_colours_of_their_lightness(predict: Predict) -> None:
    grey = PHOTO[..., 1]
    wanted = predict(grey)
    same = predict(np.repeat(grey[..., None], 3, axis=-1)).astype(int)
    assert np.abs(same - wanted).max() <= 1
    np.testing.assert_array_equal(predict(grey[..., None]), wanted)
    np.testing.assert_array_equal(decoded(predict(encoded(grey))), wanted)
    np.testing.assert_array_equal(predict(np.stack([grey, grey]))[0], wanted)


@pytest.mark.slow
def test_parameters_give_logits_and_other_temperatures(predict: Predict, network: str) -> None:
    logits = predict([PHOTO, SMALL], params={"output": "logits"})
    assert (logits.shape, logits.dtype) == ((2, 8, 8, 313), np.float32)
    keras_model = mlflow.tensorflow.load_model(network)
    assert type(keras_model.loss).__name__ == "ColorCrossEntropy"
    same = mlflow.keras.load_model(network)
    L = np.full((1, 32, 32, 1), 0.2, np.float32)
    np.testing.assert_array_equal(keras_model.predict(L, verbose=0), same.predict(L, verbose=0))
    grey: Pixels = np.full((32, 32), 119, np.uint8)
    L = ((pixels_to_lab(np.repeat(grey[..., None], 3, axis=-1))[..., :1] - 50) / 100)[None]
    logits = predict(grey, params={"output": "logits"})
    np.testing.assert_allclose(logits, keras_model.predict(L, verbose=0), rtol=1e-3, atol=1e-3)
    one, other = (predict(PHOTO, params={"temperature": each}) for each in (0.38, 5.0))
    np.testing.assert_array_equal(one, predict(PHOTO))
    assert not np.array_equal(one, other)


REFUSED = {
    "no picture": (b"nothing", "no JPEG, PNG, WebP or TIFF"),
    "another format": (encoded(PHOTO, "BMP"), "no JPEG, PNG, WebP or TIFF"),
    "half of a file": ([PNG, JPEG[:400]], "picture 2 of 2: "),
    "a name of a file": ("photo.jpg", "must be base64"),
    "a header of 50000x50000": (bomb(50_000), "decompression bomb"),
    "a header of 8000x8000": (bomb(8_000), "more than 50 megapixels"),
    "no pixels": (PHOTO[:0], "Received: shape (0, 60, 3)"),
    "too large an array": (np.zeros((10_000, 8_000), np.uint8), "more than 50 megapixels"),
    "fractions": (PHOTO / 255, "whole numbers from 0 to 255"),
    "numbers beyond": (PHOTO.astype(np.int32) + 1, "whole numbers from 0 to 255"),
    "other channels": (np.zeros((2, 20, 20, 4), np.uint8), "an array must be (height, width, 3)"),
    "an array with opacity": (np.zeros((20, 30, 4), np.uint8), "an array must have no opacity"),
    "a grey one": (np.zeros((20, 30, 2), np.uint8), "leave its last channel out, or send a file"),
    "a row": (np.zeros(9, np.uint8), "Received: shape (9,)"),
    "nothing": ([], "Received: shape (0,)"),
    "none": ([None], "Received: shape (1,)"),
    "no column": (pd.DataFrame({"a": [PNG], "b": [PNG]}), "one column of pictures, or one called picture"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_picture_is_said(what: str) -> None:
    given, said = REFUSED[what]
    with pytest.raises(DataError, match=re.escape(said)):
        list(pictures_of(given).photographs())


@pytest.mark.slow
def test_a_refused_request_is_an_error_of_the_request(predict: Predict) -> None:
    for given, params, said in [
        (b"nothing", {}, "no JPEG, PNG, WebP or TIFF"),
        (PHOTO, {"temperature": 0.0}, "temperature=0.0"),
        (PHOTO, {"output": "ab"}, "output=ab"),
    ]:
        with pytest.raises(MlflowException, match=said) as refused:
            predict(given, params=params)
        assert refused.value.get_http_status_code() == 400
        refused.value.message = f"all of the request: {refused.value.message}"
        assert not refused.value.message.startswith("all of")


@pytest.mark.slow
def test_signature_example_and_flavours_are_what_mlflow_reads(network: str) -> None:
    info = mlflow.models.get_model_info(network)
    assert set(info.flavors) == {"keras", "python_function", "tensorflow"}
    assert [(field.name, str(field.type)) for field in info.signature.inputs.inputs] == [
        ("picture", "DataType.binary")
    ]
    assert [param.name for param in info.signature.params.params] == ["output", "temperature"]
    model = mlflow.pyfunc.load_model(network)
    (answer,) = model.predict(model.input_example)
    assert decoded(base64.b64decode(answer)).shape == (64, 64, 3)


@pytest.mark.slow
def test_an_imported_model_is_served_as_the_one_that_it_is_a_copy_of(
    network: str, predict: Predict, tmp_path: Path, empty_store: Path
) -> None:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    export_study("own", uri, tmp_path / "models.zip", models=True)
    (tmp_path / "new").mkdir()
    shutil.copy(empty_store, tmp_path / "new" / "mlflow.db")
    fresh = f"sqlite:///{tmp_path}/new/mlflow.db"
    wanted = predict(PHOTO)
    open_store(fresh)
    with opened_archive(tmp_path / "models.zip") as archive:
        import_archive(archive, fresh, tmp_path / "new")
    now = f"runs:/{read_study('own', fresh).runs.index[0]}/model"
    model = mlflow.pyfunc.load_model(now)
    np.testing.assert_array_equal(model.predict(PHOTO), wanted)
    assert model.metadata.signature == mlflow.models.get_model_info(now).signature
    assert model.input_example
    assert mlflow.keras.load_model(now, load_model_kwargs={"compile": False}).output_shape == (None, 8, 8, 313)
    export_study("own", fresh, tmp_path / "again.zip", models=True)
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "models.zip").read_bytes()
    open_store(uri)


@contextmanager
def model_server(network: str, folder: Path) -> Iterator[str]:
    """Start `mlflow models serve` as the page says, and yield its address."""
    port = free_port()
    scripts = Path(sys.executable).parent
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "-m", network, "-p", str(port)],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
            start_new_session=True,
        )
    try:
        ends = time.monotonic() + 300
        while True:
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < ends, (folder / "server.log").read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


def asked(address: str, request: Any, kind: str = "application/json") -> tuple[int, Any]:
    """Send a request, and return the status and what the answer says."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    sent = urllib.request.Request(f"http://{address}/invocations", body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(sent, timeout=120) as answer:
            return answer.status, json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.slow
def test_a_server_answers_a_photograph_with_a_photograph(network: str, predict: Predict, tmp_path: Path) -> None:
    assert "127.0.0.1:5001" in CURL
    (tmp_path / "photo.jpg").write_bytes(JPEG)
    text = base64.b64encode(PNG).decode()
    with model_server(network, tmp_path) as address:
        line = CURL.replace("127.0.0.1:5001", address)
        subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=tmp_path, check=True, timeout=120)
        assert (tmp_path / "coloured.jpg").read_bytes() == predict(JPEG)

        status, (answer,) = asked(address, {"inputs": [text], "params": {"temperature": 5.0}})
        np.testing.assert_array_equal(decoded(base64.b64decode(answer)), predict(PHOTO, params={"temperature": 5.0}))
        status, logits = asked(address, {"inputs": [text], "params": {"output": "logits"}})
        assert (status, np.shape(logits)) == (200, (1, 8, 8, 313))
        status, pixels = asked(address, {"inputs": PHOTO.tolist()})
        np.testing.assert_array_equal(pixels, predict(PHOTO))
        table = io.BytesIO()
        pd.DataFrame({"picture": [PNG]}).to_parquet(table)
        status, (row,) = asked(address, table.getvalue(), "application/vnd.apache.parquet")
        np.testing.assert_array_equal(decoded(base64.b64decode(row["picture"])), predict(PHOTO))

        for given, said in [
            (JPEG[:400], "Truncated"),
            (b"nothing", "no JPEG, PNG, WebP or TIFF picture"),
            (bomb(50_000), "decompression bomb"),
            (bomb(8_000), "more than 50 megapixels"),
        ]:
            status, answer = asked(address, {"inputs": [base64.b64encode(given).decode()]})
            assert (status, said in json.loads(answer)["message"]) == (400, True), answer
            assert "Traceback" not in answer
        assert asked(address, {"inputs": [text], "params": {"temperature": -1.0}})[0] == 400
        assert asked(address, b"{nothing")[0] == 400

        with ThreadPoolExecutor(20) as many:
            requests = [{"inputs": [text]}, {"inputs": ["broken"]}] * 20
            answers = list(many.map(lambda request: asked(address, request), requests))
        assert [status for status, _ in answers] == [200, 400] * 20
        assert len({str(answer) for status, answer in answers if status == 200}) == 1
