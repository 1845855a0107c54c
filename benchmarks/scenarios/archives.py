"""Archives whose sizes lie, that inflate to gigabytes, or that are none."""

import gzip
import io
import lzma
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from scenarios.frame import Place, scenario
from scenarios.pictures import deflated

GROUP = "photographs"
BOMB = 2**30


def zipped(place: Place, extra: str = "bomb.png") -> bytearray:
    """Return an archive of ten photographs and one more, the last, of 100 zero bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(place.photographs().iterdir()):
            archive.write(path, path.name)
        archive.writestr(extra, bytes(100))
    return bytearray(file.getvalue())


def with_size(content: bytearray, size: int) -> bytearray:
    """Let the directory claim that the last file has so many bytes."""
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, size)
    return content


@scenario(GROUP, "a zip entry that inflates to 1 GiB, as it says")
def honest_bomb(place: Place) -> str:
    """Refused by the size that it claims."""
    file = io.BytesIO(bytes(zipped(place, "small.png")))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.png", "w") as entry:
        for _ in range(BOMB // 2**20):
            entry.write(bytes(2**20))
    place.write("photographs.zip", file.getvalue())
    place.prepare("photographs.zip", says="bomb.png (1,073,741,824 bytes; at most 536,870,912 are read)")
    return "the ten photographs beside it are prepared"


@scenario(GROUP, "a zip entry that inflates to more than it says")
def lying_bomb(place: Place) -> str:
    """Inflated no further than it claims."""
    place.write("photographs.zip", with_size(zipped(place), 99))
    place.prepare("photographs.zip", says="bomb.png (damaged in the archive)")
    return "the ten photographs beside it are prepared"


@scenario(GROUP, "a zip entry that claims 4 GiB and has 100 bytes")
def boaster(place: Place) -> str:
    """Refused by the size that it claims."""
    place.write("photographs.zip", with_size(zipped(place), 2**32 - 2))
    place.prepare("photographs.zip", says="bomb.png (4,294,967,294 bytes; at most")
    return "the ten photographs beside it are prepared"


@scenario(GROUP, "a zip archive of a version that nobody knows")
def unknown_version(place: Place) -> None:
    """One line."""
    content = zipped(place)
    content[content.index(b"PK\x01\x02") + 6] = 99
    place.write("photographs.zip", content)
    place.prepare("photographs.zip", code=1, says="photographs.zip cannot be read as a zip archive: zip file version")


@scenario(GROUP, "a zip archive that is cut off")
def cut_off(place: Place) -> None:
    """One line."""
    content = zipped(place)
    place.write("photographs.zip", content[: len(content) // 2])
    place.prepare("photographs.zip", code=1, says="photographs.zip cannot be read as a zip archive")


@scenario(GROUP, "names in a zip archive that lead out of it")
def slip(place: Place) -> str:
    """Nothing is unpacked by its name."""
    place.write("photographs.zip", zipped(place, "../../canary"))
    place.prepare("photographs.zip", says="photographs to train and")
    if (place.folder.parent / "canary").exists():
        raise OSError("a file was written outside")
    return "nothing is written outside"


@scenario(GROUP, "a .tar.xz of 200 kB that unpacks to 1.4 GB")
def compressed_tar(place: Place) -> str:
    """Stopped by the ratio."""
    packer = lzma.LZMACompressor(preset=0)
    pieces = [packer.compress(bytes(2**20)) for _ in range(1400)]
    place.write("photographs.tar.xz", b"".join([*pieces, packer.flush()]))
    place.prepare("photographs.tar.xz", code=1, says="photographs.tar.xz unpacks to more than 1,024 MiB")
    left = [path for path in Path(place.folder / "set").rglob("*") if path.is_file() and path.stat().st_size > 10_000]
    if left:
        raise OSError(f"left behind: {left}")
    return "what was unpacked is removed"


@scenario(GROUP, "a tar entry that claims -5 bytes")
def negative(place: Place) -> str:
    """Left out."""
    root, file = place.photographs(), io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for path in sorted(root.iterdir()):
            archive.add(path, path.name)
    odd = tarfile.TarInfo("odd.png")
    odd.size = -5
    content = file.getvalue()
    end = 512 * (
        1 + max(place for place in range(len(content) // 512) if any(content[512 * place : 512 * place + 512]))
    )
    place.write("photographs.tar", content[:end] + odd.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    place.prepare("photographs.tar", says="odd.png (cut off in the archive)")
    return "the ten photographs beside it are prepared"


@scenario(GROUP, "a .tar.gz that is no gzip")
def no_gzip(place: Place) -> None:
    """One line."""
    place.write("photographs.tar.gz", gzip.compress(b"x" * 999)[:40] + zlib.compress(deflated(99)))
    place.prepare("photographs.tar.gz", code=1, says="photographs.tar.gz cannot be read as a tar archive")


def tree(place: Place, spelled: Callable[[str], str], *beside: str) -> None:
    """Write an archive of photos/ with a folder val/ of two photographs, names spelled in some way, and more files."""
    with zipfile.ZipFile(place.folder / "photographs.zip", "w") as archive:
        for number, path in enumerate(sorted(place.photographs().iterdir())):
            name = f"photos/val/{path.name}" if number < 2 else f"photos/{path.name}"
            archive.writestr(zipfile.ZipInfo(spelled(name)), path.read_bytes())
        for name in beside:
            archive.writestr(name, b"nothing")


@scenario(GROUP, "a zip archive of a Mac: `__MACOSX/`, `.DS_Store` and `README.txt` beside `photos/val`")
def of_a_mac(place: Place) -> str:
    """They are no reason to train on what should evaluate."""
    tree(place, str, "__MACOSX/photos/val/._0.png", ".DS_Store", "README.txt")
    place.prepare("photographs.zip", says="Split: val evaluates (2), all others train (8)")
    return "`photos/val` evaluates"


@scenario(GROUP, "a zip archive of Windows: backslashes, `.\\` and a folder called `Val`")
def of_windows(place: Place) -> str:
    """Names are normalised."""
    tree(place, lambda name: ".\\" + name.replace("val", "Val").replace("/", "\\"))
    place.prepare("photographs.zip", says="evaluates (2), all others train (8)")
    return "`photos/Val` evaluates"


@scenario(GROUP, "the same name twice in a zip archive")
def twice(place: Place) -> str:
    """The last one counts, as where it is unpacked."""
    tree(place, str)
    with zipfile.ZipFile(place.folder / "photographs.zip", "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("photos/9.png", (place.folder / "photographs" / "8.png").read_bytes())
    place.prepare("photographs.zip", says="9.png")
    return "the last one counts"
