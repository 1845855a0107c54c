"""`python -m ablate.turing build`: from tracked runs and folders of pictures to a bundle."""

import io
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import mlflow
import numpy as np
import pytest
import yaml
from mlflow.entities import RunStatus
from PIL import Image
from skimage.color import rgb2lab

from ablate.colorization.data.decode import Pixels
from ablate.colorization.data.prepared.write import prepare
from ablate.colorization.data.preprocessing import center_square, preprocessing_of
from ablate.colorization.inference import enlarged, predict_ab
from ablate.colorize.tracked_models import distinct_names, names_of, runs_of_study
from ablate.errors import AblateError, ConfigError, DataError, NotComparable, TrackingError
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.sqlite import local_folder
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from ablate.tracking.tracked_model import TrackedModel, find_model, load_model
from ablate.turing.build.command import main
from ablate.turing.build.options import parse_options
from ablate.turing.build.runs import ColorizingRun, colorizing_runs
from ablate.turing.build.stimuli import png
from ablate.turing.bundle import Bundle
from ablate.turing.protocol import Protocol, Rules
from tests.support.commands import QUICK
from tests.support.forked import Forked

SMALL = ["side=48", "practice=1", "test=3", "checks=1"]
"""What one participant sees, of as many photographs as there are."""
EXIF_ORIENTATION = 0x0112


def soft(seed: int, width: int = 60, height: int = 50) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def write_photographs(root: Path) -> None:
    """Write six photographs that train and nine files that evaluate, of which seven can be judged."""
    for part in ("train", "val/deep"):
        (root / part).mkdir(parents=True)
    for number in range(6):
        soft(number).save(root / "train" / f"{number}.png")
    for number in range(10, 15):
        soft(number).save(root / "val" / f"{number}.png")
    turned = soft(15)
    exif = turned.getexif()
    exif[EXIF_ORIENTATION] = 6
    turned.save(root / "val/deep/turned.jpg", exif=exif, quality=95)
    clear = soft(16).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(root / "val/deep/clear.png")
    soft(17).convert("L").save(root / "val/grey.png")
    (root / "val/broken.png").write_bytes(b"broken")


@dataclass(frozen=True)
class Store:
    """A store with a study `tiny`: `baseline`, which was trained, and `loss=regression`, which has the same model."""

    folder: Path
    uri: str
    run_id: str
    reused: str

    @property
    def photographs(self) -> Path:
        """The data set."""
        return self.folder / "photographs"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, empty_store: Path, forked: Forked) -> Store:
    folder = tmp_path_factory.mktemp("tiny")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    shutil.copy(empty_store, folder / "mlflow.db")
    write_photographs(folder / "photographs")
    quick = [argument for argument in QUICK if argument != "tracking.model=false"]
    command = ["ablate.run", "study.name=tiny", "study.variant=baseline"]
    done = forked.run(
        [*command, *quick, "data=folder", "data.root=photographs", "data.max_bad_fraction=0.5"],
        folder=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": uri},
        output=tmp_path_factory.mktemp("output"),
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    open_store(uri)
    (run,) = mlflow.MlflowClient().search_runs([experiment("tiny")])
    link_cached_run(run.info.run_id, study="tiny", variant="loss=regression", project=folder)
    newest = mlflow.MlflowClient().search_runs([experiment("tiny")], "tags.`ablate.cached_from` LIKE '%'")
    return Store(folder, uri, run.info.run_id, newest[0].info.run_id)


def experiment(name: str) -> str:
    found = mlflow.MlflowClient().get_experiment_by_name(name)
    assert found is not None
    return str(found.experiment_id)


@pytest.fixture
def build(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bundle]:
    """Build a bundle in a folder of the test's."""
    monkeypatch.chdir(store.folder)  # the data set's folder was given from there
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)

    def call(*arguments: str, out: str = "bundle") -> Bundle:
        main([*SMALL, *arguments, f"out={tmp_path / out}"])
        return Bundle(tmp_path / out)

    return call


def pixels(bundle: Bundle, file: str) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(bundle.picture(file))))


def lab(picture: Pixels) -> np.ndarray:
    return np.asarray(rgb2lab(picture))


def decoded(path: Path) -> Image.Image:
    """Read a photograph as a browser shows it, without the code that is tested."""
    image = Image.open(path)
    if path.name == "turned.jpg":
        return image.convert("RGB").transpose(Image.Transpose.ROTATE_270)
    if path.name == "clear.png":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


@pytest.mark.slow
def test_a_study_becomes_a_bundle(
    store: Store, build: Callable[..., Bundle], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bundle = build("study=tiny", "rules.max_loads=5", "exposure_ms=700")
    bundle.verify()
    manifest = bundle.manifest
    assert (manifest.name, manifest.study, manifest.side, manifest.seed) == ("tiny", "tiny", 48, 0)
    assert manifest.protocol == Protocol(practice=1, test=3, checks=1, exposure_ms=700, rules=Rules(max_loads=5))
    assert [(one.name, one.run_id, one.seed) for one in manifest.algorithms] == [
        ("baseline", store.run_id, 0),
        ("loss=regression", store.reused, 0),
    ]
    names = {stimulus.photograph for stimulus in manifest.stimuli}
    assert names == {*(f"val/{number}.png" for number in range(10, 15)), "val/deep/turned.jpg", "val/deep/clear.png"}
    # The broken one was not evaluated, and so is none of the photographs to choose from.
    assert manifest.left_out == ["val/grey.png: grey"]
    assert len(manifest.files) == 7 * 4
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "7 crops of 7 photographs, 48x48: real, as an obvious fake, and recoloured by"
    assert "Left out: 1 (grey): val/grey.png" in said
    assert "photographs=200 were asked for: there are no more that can be used" in said
    assert said[-1] == f"Serve it: python -m ablate.turing serve {tmp_path / 'bundle'}"


@pytest.mark.slow
def test_a_pair_has_one_lightness_the_models_colours_and_no_file_that_tells_which_is_which(
    store: Store, build: Callable[..., Bundle]
) -> None:
    bundle = build("study=tiny", "variants=baseline")
    run = find_model(store.run_id)
    model, color = load_model(run), colorist(run).color
    for stimulus in bundle.manifest.stimuli:
        photograph = decoded(store.photographs / stimulus.photograph)
        expected = lab(np.asarray(center_square(photograph, 48)))
        real, recolored, check = (
            lab(pixels(bundle, file)) for file in (stimulus.real, stimulus.recolored[0], stimulus.check)
        )
        for picture in (real, recolored, check):
            error = picture[..., 0] - expected[..., 0]
            assert np.abs(error).max() < 0.7  # the dither, and in saturated colours half a step of eight bits
            assert np.quantile(np.abs(error), 0.95) < 0.22
        assert np.abs(real[..., 1:] - expected[..., 1:]).mean() < 1.5
        (ab,) = predict_ab(model, [np.asarray(center_square(photograph, 32))], color)
        own = np.concatenate([real[..., :1], enlarged(ab, 48)], axis=-1)
        inside = (pixels(bundle, stimulus.recolored[0]) % 250 > 5).all(axis=-1)
        assert np.abs(recolored - own)[inside].mean() < 1.5
        assert np.hypot(*np.moveaxis(check[..., 1:] - real[..., 1:], -1, 0)).mean() > 20
    files = sorted((bundle.folder / "pictures").iterdir())
    assert {file.stem for file in files} == set(bundle.manifest.files)
    assert len({(file.stat().st_size, file.stat().st_mtime, file.stat().st_mode) for file in files}) == 1
    images = [Image.open(io.BytesIO(file.read_bytes())) for file in files]
    assert {(image.format, image.mode, image.size, len(image.info)) for image in images} == {
        ("PNG", "RGB", (48, 48), 0)
    }


def colorist(run: TrackedModel) -> ColorizingRun:
    return colorizing_runs([run], {})[0]


@pytest.mark.slow
def test_the_same_arguments_make_the_same_bundle_and_another_seed_another(
    build: Callable[..., Bundle],
) -> None:
    arguments = ("study=tiny", "crops=2", "photographs=5", "variants=loss=regression")
    one, same, other = build(*arguments), build(*arguments, out="same"), build(*arguments, "seed=1", out="other")
    assert one.checksum == same.checksum
    for file in one.manifest.files:
        assert one.picture(file) == same.picture(file)
    assert not set(one.manifest.files).intersection(other.manifest.files)
    assert len(one.manifest.stimuli) == 10
    assert [len([s for s in one.manifest.stimuli if s.photograph == name]) for name in photographs(one)] == [2] * 5


def photographs(bundle: Bundle) -> set[str]:
    return {stimulus.photograph for stimulus in bundle.manifest.stimuli}


@pytest.mark.slow
def test_runs_are_picked_by_id_and_two_of_one_variant_are_told_apart(
    store: Store, build: Callable[..., Bundle]
) -> None:
    link_cached_run(store.run_id, study="again", variant="baseline", project=store.folder)
    (again,) = mlflow.MlflowClient().search_runs([experiment("again")])
    bundle = build(f"runs={store.run_id},{again.info.run_id}", "name=both", "photographs=5")
    assert (bundle.manifest.name, bundle.manifest.study) == ("both", None)
    assert [algorithm.name for algorithm in bundle.manifest.algorithms] == [
        f"baseline, seed 0, run {store.run_id}",
        f"baseline, seed 0, run {again.info.run_id}",
    ]
    own = build(f"runs={store.reused}", out="own").manifest
    assert (own.name, own.study, own.algorithms[0].name) == ("tiny", "tiny", "loss=regression")
    assert distinct_names(["a", "b"], [find_model(store.run_id)] * 2) == ["a", "b"]


@pytest.mark.slow
def test_pictures_of_another_system_are_judged_beside_the_models(store: Store, build: Callable[..., Bundle]) -> None:
    folder = store.folder / "external"
    if not folder.exists():
        (folder / "deep").mkdir(parents=True)
        for number in (10, 11, 12):
            swapped(soft(number)).resize((120, 100)).save(folder / f"{number}.jpg", quality=95)
        swapped(soft(99)).save(folder / "13.png")
        swapped(decoded(store.photographs / "val/deep/turned.jpg")).save(folder / "deep/turned.webp", lossless=True)
        swapped(decoded(store.photographs / "val/deep/clear.png")).save(folder / "deep/clear.png")
    bundle = build("study=tiny", "variants=baseline", "external.sepia.2=external", "photographs=7")
    assert [(one.name, one.run_id) for one in bundle.manifest.algorithms] == [
        ("baseline", store.run_id),
        ("sepia.2", None),
    ]
    expected = {"val/10.png", "val/11.png", "val/12.png", "val/deep/turned.jpg", "val/deep/clear.png"}
    assert photographs(bundle) == expected
    left_out = dict(line.split(": ", 1) for line in bundle.manifest.left_out)
    assert left_out.keys() == {"val/13.png", "val/14.png", "val/grey.png"}
    assert left_out["val/13.png"].startswith("the picture from sepia.2 shows something else, or another part of it (")
    assert left_out["val/14.png"] == "no picture from sepia.2"
    for stimulus in bundle.manifest.stimuli:
        real, other = (lab(pixels(bundle, file)) for file in (stimulus.real, stimulus.recolored[1]))
        # Their L is ours, their colours are theirs.
        assert np.abs(real[..., 0] - other[..., 0]).mean() < 0.2
        photograph = center_square(decoded(store.photographs / stimulus.photograph), 48)
        theirs = lab(np.asarray(swapped(photograph)))
        assert np.abs(other[..., 1:] - theirs[..., 1:]).mean() < 8
        assert np.abs(real[..., 1:] - theirs[..., 1:]).mean() > 10


def swapped(image: Image.Image) -> Image.Image:
    """Return another colouring of a photograph: about its luminance, and none of its colours."""
    red, _, blue = image.split()
    luminance = np.asarray(image.convert("L"), float)
    other = np.stack([np.asarray(blue, float), luminance, np.asarray(red, float)], axis=-1)
    other += (luminance - other @ (0.299, 0.587, 0.114))[..., None]
    return Image.fromarray(np.clip(other, 0, 255).astype(np.uint8))


@pytest.mark.slow
def test_a_bundle_of_external_pictures_alone_needs_neither_study_nor_tensorflow(
    build: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        for folder, image in (("real", soft(number)), ("one", swapped(soft(number)))):
            (tmp_path / folder).mkdir(exist_ok=True)
            image.save(tmp_path / folder / f"{number}.png")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////nowhere/mlflow.db")
    arguments = [f"real={tmp_path / 'real'}", f"external.one={tmp_path / 'one'}", "name=alone"]
    bundle = build(*arguments)
    assert (bundle.manifest.study, len(bundle.manifest.stimuli)) == (None, 6)
    code = (
        "import sys; from ablate.turing.build.command import main; main(sys.argv[1:]);"
        "assert not {'tensorflow', 'keras', 'mlflow'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, *SMALL, *arguments, f"out={tmp_path / 'apart'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert Bundle(tmp_path / "apart").checksum == bundle.checksum


@pytest.mark.slow
def test_photographs_of_a_folder_are_coloured_unless_they_have_trained(
    store: Store, build: Callable[..., Bundle], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new").mkdir()
    for number in range(20, 26):
        soft(number, 200, 150).save(tmp_path / "new" / f"{number}.png")
    shutil.copy(store.photographs / "train/3.png", tmp_path / "new/seen.png")
    bundle = build("study=tiny", "variants=baseline", f"real={tmp_path / 'new'}")
    assert photographs(bundle) == {f"{number}.png" for number in range(20, 26)}
    assert f"Not taken: 1 photograph in {tmp_path / 'new'} that trained the runs" in capsys.readouterr().out


@pytest.mark.slow
def test_a_data_set_that_was_moved_is_found_and_one_that_has_changed_is_refused(
    store: Store, build: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(store.photographs, tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"data.root=photographs is no folder, .* file. data.root=DIR says where"):
        build("study=tiny")
    assert len(build("study=tiny", "variants=baseline", "data.root=moved").manifest.stimuli) == 7
    shutil.copy(tmp_path / "moved/train/1.png", tmp_path / "moved/val/another.png")
    with pytest.raises(DataError, match=r"not those of the runs: data=folder data.root=moved has the fingerprint"):
        build("study=tiny", "data.root=moved", out="changed")


@pytest.mark.slow
def test_a_prepared_data_set_is_enlarged_and_says_so_unless_its_photographs_are_given(
    store: Store, build: Callable[..., Bundle], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = colorist(find_model(store.run_id))
    preprocessing = preprocessing_of(own.data, evaluation_side=own.evaluation.side, grid_step=own.color.grid_step)
    prepare(own.data, preprocessing, str(tmp_path / "set"), workers=1, shard_mib=1)
    prepared = build("study=tiny", "variants=baseline", "data=prepared", f"data.root={tmp_path / 'set'}")
    assert "The prepared data set keeps crops of 32x32: all pictures are enlarged" in capsys.readouterr().out
    whole = build("study=tiny", "variants=baseline", "data=folder", "data.root=photographs", out="whole")
    assert photographs(prepared) == photographs(whole)
    for one, other in zip(prepared.manifest.stimuli, whole.manifest.stimuli, strict=True):
        # What the model saw is the same, and so are its colours.
        colors = [lab(pixels(bundle, s.recolored[0])) for bundle, s in ((prepared, one), (whole, other))]
        assert np.abs(colors[0] - colors[1])[..., 1:].mean() < 1.6


@pytest.mark.slow
def test_a_bundle_is_never_overwritten_and_what_is_unfinished_is_replaced(
    build: Callable[..., Bundle], store: Store, tmp_path: Path
) -> None:
    (tmp_path / "bundle/pictures").mkdir(parents=True)
    (tmp_path / "bundle/pictures" / f"{'0' * 32}.png").write_bytes(b"half a pict")
    (tmp_path / "bundle/.manifest.json.123").write_bytes(b"{")
    bundle = build("study=tiny", "variants=baseline")
    bundle.verify()
    assert not (tmp_path / "bundle/pictures" / f"{'0' * 32}.png").exists()
    with pytest.raises(
        DataError, match=r"bundle holds a bundle, which people may have judged already: it is not over"
    ):
        build("study=tiny", "seed=5")
    assert Bundle(bundle.folder).checksum == bundle.checksum


@pytest.mark.parametrize("place", ["holiday.jpg", "pictures/holiday.png", "sub/x"])
def test_a_folder_of_other_things_is_left_alone(build: Callable[..., Bundle], tmp_path: Path, place: str) -> None:
    (tmp_path / "bundle" / place).parent.mkdir(parents=True)
    (tmp_path / "bundle" / place).write_bytes(b"dear")
    with pytest.raises(DataError, match="is there and no unfinished bundle"):
        build("study=tiny")
    assert (tmp_path / "bundle" / place).read_bytes() == b"dear"


@pytest.mark.slow
def test_a_killed_build_leaves_no_bundle_and_the_same_command_makes_it(tmp_path: Path) -> None:
    for folder in ("real", "one"):
        (tmp_path / folder).mkdir()
    for number in range(12):
        image = soft(number)
        image.save(tmp_path / "real" / f"{number}.png")
        swapped(image).save(tmp_path / "one" / f"{number}.png")
    arguments = ["real=real", "external.one=one", "name=killed", "out=bundle", "side=128", "practice=0", "test=9"]
    command = [sys.executable, "-m", "ablate.turing", "build", *arguments]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pictures = tmp_path / "bundle/pictures"
    while not (pictures.is_dir() and any(pictures.iterdir())):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with pytest.raises(DataError, match="is no bundle"):
        Bundle(tmp_path / "bundle")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Serve it: python -m ablate.turing serve bundle"
    bundle = Bundle(tmp_path / "bundle")
    bundle.verify()
    assert len(list(pictures.iterdir())) == len(bundle.manifest.files) == 36
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert again.stderr.startswith("Error: bundle holds a bundle")
    assert len(again.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ([], ConfigError, "study=NAME, runs=ID,ID or external.NAME=DIR must be given: what colours the photographs"),
        (["external.x=photographs"], ConfigError, "real=DIR must be given where no study=NAME or runs=ID,ID is"),
        (["study=none"], TrackingError, "has no study none. Its studies: .*tiny"),
        (["study=tiny", "variants=baseline;depth=full"], ConfigError, "unknown level: variants=depth=full. Allowed: "),
        (["runs=abc"], TrackingError, "run abc cannot be read"),
        (["study=tiny", "runs=x", "variants=baseline"], ConfigError, "variants= chooses among those of study=NAME"),
        (["real=photographs", "external.x=photographs"], ConfigError, "name=NAME must be given"),
        (["study=tiny", "name=a/b"], DataError, "'a/b' is no name of an experiment"),
        (["study=tiny", "external.baseline=photographs"], ConfigError, "external.baseline is called like a variant"),
        (["study=tiny", "external.x=none"], DataError, "external.x=none is no folder"),
        (["study=tiny", "real=none"], DataError, "none is no folder"),
        (["study=tiny", "photograph=3"], ConfigError, "unknown key: photograph. Allowed: .*Did you mean photographs"),
        (["study=tiny", "external=DIR"], ConfigError, "unknown key: external. Allowed: .*external.NAME"),
        (["study=tiny", "external.=DIR"], ConfigError, "external. needs a value"),
        (["study="], ConfigError, "study needs a value, as in study=VALUE"),
        (["study=tiny", "rules.max_load=3"], ConfigError, "unknown key: rules.max_load. Allowed: .*Did you mean"),
        (["study=tiny", "rules.max_loads=0"], ConfigError, "rules.max_loads=0: input should be greater than 0"),
        (["study=tiny", "side=8"], ConfigError, "side=8: input should be greater than or equal to 16"),
        (["study=tiny", "seed=x"], ConfigError, "seed=x: input should be a valid integer"),
        (["study=tiny", "test=0"], ConfigError, "test=0: input should be greater than or equal to 1"),
        (["study=tiny", "data=tfds"], ConfigError, "data=tfds: input should be 'folder', 'prepared' or 'sample'"),
        (["study=tiny", "uri=sqlite:///none.db"], TrackingError, "there are no runs yet"),
    ],
)
def test_what_is_wrong_is_one_clear_error(
    build: Callable[..., Bundle], tmp_path: Path, arguments: list[str], error: type[AblateError], said: str
) -> None:
    with pytest.raises(error, match=said):
        build(*arguments)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said", "works"),
    [
        (
            ["test=30", "checks=3", "practice=10"],
            "7 crops of 7 photographs can be used, and one participant sees 43 (practice=10 + test=30 + checks=3)",
            ["crops=8", "practice=1 test=6 checks=0"],
        ),
        (
            ["photographs=2", "crops=2"],
            "4 crops of 2 photographs can be used, and one participant sees 5 (practice=1 + test=3 + checks=1)",
            ["photographs=4", "practice=0 test=3 checks=0"],
        ),
    ],
)
def test_too_few_crops_say_what_would_do(
    build: Callable[..., Bundle], tmp_path: Path, arguments: list[str], said: str, works: list[str]
) -> None:
    images = {str(number): soft(number) for number in range(7)} | {"grey": soft(7).convert("L")}
    for name, image in images.items():
        for folder in ("real", "one"):
            (tmp_path / folder).mkdir(exist_ok=True)
            image.save(tmp_path / folder / f"{name}.png")
    given = [f"real={tmp_path / 'real'}", f"external.one={tmp_path / 'one'}", "name=few", *arguments]
    with pytest.raises(DataError) as raised:
        build(*given)
    text = str(raised.value)
    assert text.startswith(said)
    assert "Left out: 1 (grey): grey.png." in text or len(arguments) == 2
    for number, way in enumerate(works):
        assert way in text
        build(*given, *way.split(), out=str(number))


@pytest.mark.slow
def test_it_says_how_many_photographs_it_takes(build: Callable[..., Bundle], tmp_path: Path) -> None:
    """As the demo once did: five crops of each of three photographs, of which one was shown in practice."""
    for number in range(3):
        for folder in ("real", "one"):
            (tmp_path / folder).mkdir(exist_ok=True)
            soft(number).save(tmp_path / folder / f"{number}.png")
    given = [f"real={tmp_path / 'real'}", f"external.one={tmp_path / 'one'}", "name=few", "practice=2", "checks=2"]
    with pytest.raises(DataError) as raised:
        build(*given, "crops=5", "test=8")
    assert str(raised.value) == (
        "15 crops of 3 photographs can be used, and one participant sees 12 (practice=2 + test=8 + checks=2), each "
        "once, and no photograph in two of these: that takes at least 4 photographs with crops=5. Set one of: crops=8 "
        "cuts so many crops of each photograph; practice=1 test=5 checks=1 lets each participant see fewer"
        "."
    )
    assert len(build(*given, "crops=5", "test=5").manifest.stimuli) == 15


def test_the_demo_has_photographs_enough() -> None:
    makefile = (Path(__file__).parents[3] / "Makefile").read_text().replace("\\\n", " ")
    (command,) = re.findall(r"turing build (study=demo .*)", makefile)
    options = parse_options(command.split())
    assert options.protocol.shares([options.crops] * 3) is not None


@pytest.mark.slow
def test_runs_without_a_model_are_named(store: Store, build: Callable[..., Bundle]) -> None:
    client = mlflow.MlflowClient()
    kept = client.get_run(store.run_id).data.tags
    tags = {name: value for name, value in kept.items() if name.startswith("ablate.")}
    bare = client.create_experiment("bare", artifact_location=(store.folder / "mlartifacts" / "bare").as_uri())
    run = client.create_run(bare, tags={**tags, "ablate.study": "bare"}).info.run_id
    client.log_metric(run, "eval/auc_raw", 1.0)
    client.log_artifacts(run, client.download_artifacts(store.run_id, "evaluation"), "evaluation")
    with pytest.raises(TrackingError, match=f"run {run} has not finished: it is running"):
        build(f"runs={run}")
    with pytest.raises(TrackingError, match=r"study bare has no finished run yet: baseline, seed 0: running"):
        build("study=bare")
    client.set_terminated(run, RunStatus.to_string(RunStatus.FINISHED))
    for arguments in (["study=bare"], [f"runs={run}"]):
        with pytest.raises(TrackingError) as raised:
            build(*arguments)
        lines = str(raised.value).splitlines()
        assert lines[0] == "1 run kept no model:"
        assert lines[1] == f"  baseline, seed 0: run {run}"
        assert "tracking.model=true" in lines[2]
    with pytest.raises(TrackingError, match=f"run {run} belongs to study bare, not to tiny"):
        build("study=tiny", f"runs={run}")
    # Of a variant, the run of the lowest seed that has a model.
    reused = {**tags, "ablate.study": "bare", "ablate.seed": "4", "ablate.cached_from": store.run_id}
    newest = client.create_run(experiment("bare"), tags=reused).info.run_id
    client.log_metric(newest, "eval/auc_raw", 1.0)
    client.set_terminated(newest, RunStatus.to_string(RunStatus.FINISHED))
    assert [(one.run_id, one.seed) for one in build("study=bare").manifest.algorithms] == [(newest, 4)]


@pytest.mark.slow
def test_variants_are_called_as_the_report_calls_them(store: Store) -> None:
    open_store(store.uri)
    for variant in ("depth=shallow", "depth=shallow,loss=regression"):
        link_cached_run(store.run_id, study="common", variant=variant, project=store.folder)
    record = read_study("common", store.uri)
    names = names_of(record)
    assert list(names.values()) == ["baseline", "loss=regression"]
    for variants in ([], ["loss=regression", "baseline"], list(names)):
        models, unfinished = runs_of_study(record, variants)
        assert [one.name for one in colorizing_runs(models, names)] == ["baseline", "loss=regression"]
        assert unfinished == []
    for name in ("loss=regression", "depth=shallow,loss=regression"):
        assert [model.variant for model in runs_of_study(record, [name])[0]] == ["depth=shallow,loss=regression"]


@pytest.mark.slow
def test_two_configurations_under_one_name_colour_nothing(store: Store) -> None:
    open_store(store.uri)
    for _ in range(2):
        link_cached_run(store.run_id, study="twice", variant="x", project=store.folder)
    record = read_study("twice", store.uri)
    assert len(runs_of_study(record, ["x"])[0]) == 1
    runs = record.runs.assign(configuration=["one", "other"])
    with pytest.raises(NotComparable, match="configuration of x"):
        runs_of_study(replace(record, runs=runs), ["x"])


@pytest.mark.slow
def test_runs_of_different_data_are_not_mixed(store: Store, build: Callable[..., Bundle]) -> None:
    link_cached_run(store.run_id, study="mixed", variant="baseline", project=store.folder)
    link_cached_run(store.run_id, study="mixed", variant="loss=regression", project=store.folder)
    client = mlflow.MlflowClient()
    other = client.search_runs([experiment("mixed")], "tags.`ablate.variant` = 'baseline'")[0].info.run_id
    client.set_tag(other, "ablate.data.fingerprint", "f" * 64)
    with pytest.raises(DataError, match=r"the runs have trained on different data.*baseline, seed 0 on ffffffffffff"):
        build("study=mixed")
    assert len(build("study=mixed", "variants=loss=regression").manifest.algorithms) == 1
    with pytest.raises(DataError, match=rf"the photographs are not those of the runs: .* run {other} trained on ffff"):
        build("study=mixed", "variants=baseline", out="changed")


@pytest.mark.slow
def test_a_model_that_is_gone_is_one_clear_error(store: Store, build: Callable[..., Bundle], tmp_path: Path) -> None:
    shutil.copytree(store.folder, tmp_path / "copy")
    run = find_model(store.run_id)
    place = local_folder(run.files or "")
    assert place is not None
    place.rename(place.with_name("aside"))
    try:
        with pytest.raises(TrackingError, match=rf"the model of run {store.run_id} \(baseline, seed 0\) cannot be"):
            build("study=tiny", "variants=baseline")
    finally:
        place.with_name("aside").rename(place)


@pytest.mark.slow
def test_a_png_of_the_side_is_what_was_promised(build: Callable[..., Bundle]) -> None:
    bundle = build("study=tiny", "variants=baseline")
    for file in bundle.manifest.files:
        assert bundle.picture(file) == png(pixels(bundle, file))


class Touch:
    """What makes a file when it is unpickled."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.canary,)


@pytest.fixture
def tampered(store: Store, build: Callable[..., Bundle]) -> Iterator[tuple[TrackedModel, Path]]:
    """The model of the run, and its folder, which is put right afterwards."""
    run = find_model(store.run_id)
    place = local_folder(str(run.files))
    assert place is not None
    shutil.copytree(place, place.with_name("right"))
    yield run, place
    shutil.rmtree(place)
    place.with_name("right").rename(place)


@pytest.mark.slow
def test_nothing_that_lies_beside_a_model_is_run(tampered: tuple[TrackedModel, Path], tmp_path: Path) -> None:
    run, place = tampered
    canary = tmp_path / "canary"
    expected = load_model(run).get_config()
    for name in ("custom_objects.cloudpickle", "global_custom_objects.cloudpickle"):
        (place / "data" / name).write_bytes(pickle.dumps(Touch(canary)))
    (place / "evil").mkdir()
    (place / "evil" / "evil_keras.py").write_text(f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n")
    description = yaml.safe_load((place / "MLmodel").read_text())
    description["flavors"]["tensorflow"].update(code="evil", keras_module="evil_keras")
    (place / "MLmodel").write_text(yaml.safe_dump(description))
    assert load_model(run).get_config() == expected
    assert not canary.exists()


def lambda_model(canary: Path) -> keras.Model:
    inputs = keras.Input((8, 8, 1))
    code = lambda x, path=str(canary): (__import__("pathlib").Path(path).touch(), x)[1]  # noqa: E731
    return keras.Model(inputs, keras.layers.Lambda(code, output_shape=(8, 8, 1))(inputs))


@pytest.mark.parametrize("kind", ["lambda", "function", "pickle", "cut", "text"])
def test_a_model_file_that_holds_code_or_none_is_refused_in_one_line(
    kind: str, tampered: tuple[TrackedModel, Path], tmp_path: Path
) -> None:
    run, place = tampered
    file, canary = place / "data" / "model.keras", tmp_path / "canary"
    if kind == "lambda":
        lambda_model(canary).save(file)
        canary.unlink(missing_ok=True)
    elif kind == "function":
        with zipfile.ZipFile(file) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        config = {"module": "os", "class_name": "system", "registered_name": "system"}
        contents["config.json"] = json.dumps({**config, "config": {"command": f"touch {canary}"}}).encode()
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
    else:
        whole = file.read_bytes()
        file.write_bytes({"pickle": pickle.dumps(Touch(canary)), "cut": whole[: len(whole) // 2], "text": b"x"}[kind])
    with pytest.raises(TrackingError, match=r"the model of run .* \(baseline, seed 0\) cannot be loaded: ") as error:
        load_model(run)
    assert "\n" not in str(error.value)
    assert not canary.exists()
