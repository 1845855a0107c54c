"""A bundle: the pictures of an experiment and its protocol, frozen. No TensorFlow.

A folder with `manifest.json` and `pictures/`: PNG files whose names are random and whose sizes are all the same.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from ablate.config.schema import Schema
from ablate.errors import DataError
from ablate.system.atomic_write import atomic_write
from ablate.turing.protocol import REAL, Protocol

VERSION: Literal[1] = 1
MANIFEST, PICTURES = "manifest.json", "pictures"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
File = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Algorithm(Schema):
    """What recoloured the pictures.

    Attributes:
        name: The variant's, or what the user calls another system.
        run_id: Its run in MLflow; None for external pictures.
        seed: That run's.
    """

    name: Annotated[str, Field(min_length=1, max_length=500)]
    run_id: str | None = None
    seed: int | None = None


class Stimulus(Schema):
    """A crop of a photograph, real and recoloured.

    Attributes:
        photograph: Name of the photograph; several crops may be cut from one.
        real: Its file in `pictures/`, without the ending.
        recolored: The files of the algorithms, in the manifest's order.
        check: The file of an obvious fake.
    """

    photograph: str
    real: File
    recolored: list[File]
    check: File


class Manifest(Schema):
    """What a bundle holds.

    Attributes:
        version: Of the format.
        name: Of the experiment.
        study: The study that it belongs to; None where all pictures are external.
        side: Of every picture.
        seed: From which the crops and the names of files were drawn.
        protocol: How the experiment goes.
        algorithms: What is compared.
        stimuli: The crops.
        left_out: Photographs that could not be used, each with its reason.
        files: SHA-256 of every file in `pictures/`, by name.
    """

    version: Literal[1] = VERSION
    name: Annotated[str, Field(pattern=NAME)]
    study: str | None
    side: Annotated[int, Field(ge=16, le=1024)]
    seed: int
    protocol: Protocol
    algorithms: Annotated[list[Algorithm], Field(min_length=1)]
    stimuli: Annotated[list[Stimulus], Field(min_length=1)]
    left_out: list[str]
    files: Mapping[File, Hash]

    @property
    def compared(self) -> list[str]:
        """Names of what is compared, in order: the algorithms, and the real picture where it is one of them."""
        return [*(algorithm.name for algorithm in self.algorithms), *([REAL] if self.protocol.with_real else [])]

    @model_validator(mode="after")
    def _whole(self) -> "Manifest":
        names = [algorithm.name for algorithm in self.algorithms]
        if len(set(names)) != len(names):
            raise ValueError(f"two algorithms have one name: {', '.join(names)}")
        if self.protocol.with_real and REAL in names:
            raise ValueError(f"an algorithm is called {REAL}, as the real picture is: give it another name")
        if not self.protocol.one_algorithm and len(self.compared) < 2:
            raise ValueError(f"design={self.protocol.design} compares at least two algorithms")
        for stimulus in self.stimuli:
            if len(stimulus.recolored) != len(names):
                raise ValueError(f"{stimulus.photograph} has not one picture of each algorithm")
            for file in (stimulus.real, *stimulus.recolored, stimulus.check):
                if file not in self.files:
                    raise ValueError(f"{stimulus.photograph} has a picture {file}, which is not among the files")
        return self


class Bundle:
    """A bundle on disk.

    Args:
        folder: Where it is.

    Raises:
        DataError: It is no bundle, is of another version, or its manifest is damaged.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        try:
            text = (folder / MANIFEST).read_bytes()
        except OSError as error:
            raise DataError(f"{folder} is no bundle: {MANIFEST}: {error.strerror}") from None
        try:
            stored = json.loads(text)
            found, checksum = stored.get("version"), stored.pop("checksum", None)
            if found != VERSION:
                raise DataError(
                    f"{folder} is a bundle of version {found}; this is for version {VERSION}: build it anew"
                )
            self.manifest = Manifest.model_validate(stored)
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(str(part) for part in problem["loc"])
            said = f"{place}: {problem['msg']}" if place else problem["msg"]
            raise DataError(f"{folder / MANIFEST} is damaged: {said.removeprefix('Value error, ')}") from None
        except (ValueError, AttributeError) as error:
            raise DataError(f"{folder / MANIFEST} is damaged: {str(error).splitlines()[0]}") from None
        if checksum != self.checksum:
            raise DataError(f"{folder / MANIFEST} was changed after it was built: its checksum differs")

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the manifest, and so of every picture."""
        return _checksum(self.manifest)

    def picture(self, file: str) -> bytes:
        """Return a picture of the manifest.

        Raises:
            KeyError: The manifest has none of that name.
            DataError: It cannot be read, or was changed.
        """
        digest, path = self.manifest.files[file], self.folder / PICTURES / f"{file}.png"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(f"the bundle {self.folder} lost a picture: {error}") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise DataError(f"{path} was changed after the bundle was built")
        return content

    def faults(self) -> Mapping[str, str]:
        """Return what is wrong with pictures that are missing or were changed, by file."""
        found = {}
        for file in self.manifest.files:
            try:
                self.picture(file)
            except DataError as error:
                found[file] = str(error)
        return found

    def verify(self) -> None:
        """Compare every picture with its checksum.

        Raises:
            DataError: One is missing or was changed.
        """
        for file in self.manifest.files:
            self.picture(file)


def freeze(folder: Path, manifest: Manifest) -> str:
    """Write the manifest of a bundle whose pictures are written; without it a folder is no bundle.

    Returns:
        The bundle's checksum.
    """
    checksum = _checksum(manifest)
    content = {**manifest.model_dump(mode="json"), "checksum": checksum}
    with atomic_write(folder / MANIFEST) as file:
        file.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    return checksum


def _checksum(manifest: Manifest) -> str:
    canonical = json.dumps(manifest.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def check_name(name: str) -> None:
    """Refuse a name that cannot be part of an address.

    Raises:
        DataError: It cannot.
    """
    if not re.fullmatch(NAME, name):
        raise DataError(f"{name!r} is no name of an experiment: letters, digits, _, . and -")
