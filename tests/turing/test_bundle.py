"""A bundle on disk is whole, of this version, and as it was built."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ablate.errors import DataError
from ablate.turing.bundle import MANIFEST, PICTURES, Bundle, Manifest, check_name, freeze


def change(bundle: Bundle, **changes: Any) -> None:
    """Change a manifest on disk, its checksum left as it is."""
    path = bundle.folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_frozen_bundle_is_read_as_it_was_written(bundle: Bundle) -> None:
    again = Bundle(bundle.folder)
    assert again.manifest == bundle.manifest
    assert again.checksum == json.loads((bundle.folder / MANIFEST).read_text())["checksum"]
    again.verify()
    real = again.manifest.stimuli[0].real
    assert again.picture(real) == (bundle.folder / PICTURES / f"{real}.png").read_bytes()


def test_the_checksum_is_that_of_the_content_and_not_of_the_place(bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(bundle.folder, tmp_path / "moved")
    assert Bundle(tmp_path / "moved").checksum == bundle.checksum
    renamed = bundle.manifest.model_copy(update={"name": "other"})
    assert freeze(tmp_path / "moved", renamed) != bundle.checksum


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path, bundle: Bundle) -> None:
    with pytest.raises(DataError, match=r"nowhere is no bundle: manifest.json: No such file"):
        Bundle(tmp_path / "nowhere")
    (bundle.folder / MANIFEST).unlink()
    with pytest.raises(DataError, match="is no bundle"):
        Bundle(bundle.folder)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '"text"', "{", "\x00"])
def test_a_damaged_manifest_is_one_clear_error(bundle: Bundle, text: str) -> None:
    (bundle.folder / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=r"manifest.json is damaged: ") as raised:
        Bundle(bundle.folder)
    assert len(str(raised.value).splitlines()) == 1


def test_half_a_manifest_is_damaged(bundle: Bundle) -> None:
    content = (bundle.folder / MANIFEST).read_bytes()
    (bundle.folder / MANIFEST).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="damaged"):
        Bundle(bundle.folder)


def test_another_version_says_what_to_do(bundle: Bundle) -> None:
    change(bundle, version=2)
    with pytest.raises(DataError, match=r"is a bundle of version 2; this is for version 1: build it anew"):
        Bundle(bundle.folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 12}, "was changed after it was built"),
        ({"checksum": None}, "was changed after it was built"),
        ({"checksum": "0" * 64}, "was changed after it was built"),
        ({"left_out": ["x.jpg: grey"]}, "was changed after it was built"),
        ({"side": 3}, "side: Input should be greater than or equal to 16"),
        ({"side": None}, "side: Input should be a valid integer"),
        ({"name": "../up"}, "name: String should match pattern"),
        ({"algorithms": []}, "algorithms: List should have at least 1 item"),
        ({"stimuli": []}, "stimuli: List should have at least 1 item"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "files.*String should match pattern"),
        ({"extra": 1}, "extra: Extra inputs are not permitted"),
    ],
)
def test_a_changed_manifest_is_refused(bundle: Bundle, changes: dict[str, Any], said: str) -> None:
    change(bundle, **changes)
    with pytest.raises(DataError, match=said):
        Bundle(bundle.folder)


def test_what_does_not_hang_together_is_refused(bundle: Bundle) -> None:
    values = bundle.manifest.model_dump()
    stimulus = values["stimuli"][0]
    without = {file: digest for file, digest in values["files"].items() if file != stimulus["check"]}
    for changes, said in (
        ({"files": without}, f"photo0 has a picture {stimulus['check']}, which is not among the files"),
        ({"algorithms": values["algorithms"][:1]}, "photo0 has not one picture of each algorithm"),
        ({"algorithms": values["algorithms"][:1] * 2}, "two algorithms have one name: baseline, baseline"),
    ):
        with pytest.raises(ValidationError, match=said):
            Manifest.model_validate({**values, **changes})
        change(bundle, **changes)
        with pytest.raises(DataError, match=f"is damaged: {said}"):
            Bundle(bundle.folder)
        change(bundle, **values)


def test_a_changed_picture_is_found(bundle: Bundle) -> None:
    file = sorted(bundle.manifest.files)[3]
    path = bundle.folder / PICTURES / f"{file}.png"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{file}.png was changed after the bundle was built"):
        Bundle(bundle.folder).verify()
    with pytest.raises(DataError, match="was changed after"):
        bundle.picture(file)
    other = bundle.manifest.stimuli[0].real
    (bundle.folder / PICTURES / f"{other}.png").unlink()
    faults = bundle.faults()
    assert set(faults) == {file, other}
    assert "lost a picture" in faults[other]


def test_a_missing_picture_is_found(bundle: Bundle) -> None:
    file = bundle.manifest.stimuli[2].recolored[1]
    (bundle.folder / PICTURES / f"{file}.png").unlink()
    found = Bundle(bundle.folder)
    for look in (found.verify, lambda: found.picture(file)):
        with pytest.raises(DataError, match=r"lost a picture: .*No such file"):
            look()


@pytest.mark.parametrize("name", ["0" * 32, "", "..", f"../{MANIFEST}", "../../secret"])
def test_only_pictures_of_the_manifest_are_read(bundle: Bundle, name: str) -> None:
    (bundle.folder / PICTURES / f"{'0' * 32}.png").write_bytes(b"not ours")
    with pytest.raises(KeyError):
        bundle.picture(name)


@pytest.mark.parametrize("name", ["study", "a.b-c_d", "0" * 100])
def test_names_that_can_be_part_of_an_address(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "ä", "0" * 101, "a\n"])
def test_names_that_cannot(name: str) -> None:
    with pytest.raises(DataError, match="is no name of an experiment"):
        check_name(name)
