"""Photographs that are damaged, odd, or made to exhaust memory."""

import struct
import zlib

import numpy as np
from PIL import Image

from scenarios.frame import Place, scenario
from scenarios.pictures import chunk, deflated, encoded, flat_png, picture, png, rgb_16

GROUP = "photographs"
BOMB = 2**30


def left_out(tried: str, name: str, content: bytes, why: str) -> None:
    """Register a file that must be left out for a reason."""
    scenario(GROUP, tried)(lambda place: place.left_out(name, content, f"{name} ({why}"))


def taken(tried: str, name: str, content: bytes) -> None:
    """Register a file that must be taken."""
    scenario(GROUP, tried)(lambda place: place.taken(name, content))


NONE = "no JPEG, PNG or WebP picture"
JPEG, PNG, WEBP = (encoded(picture(), kind) for kind in ("JPEG", "PNG", "WEBP"))
FRAMES = {"save_all": True, "append_images": [picture(seed=8)]}

left_out("a JPEG cut off in its middle", "cut.jpg", JPEG[: len(JPEG) // 2], "")
left_out("a PNG cut off in its middle", "cut.png", PNG[: len(PNG) // 2], "")
left_out("a WebP cut off in its middle", "cut.webp", WEBP[: len(WEBP) // 2], "")
left_out("an empty file", "empty.jpg", b"", NONE)
left_out("text called .png", "text.png", b"no picture\n", NONE)
left_out("a GIF called .jpg", "gif.jpg", encoded(picture("P"), "GIF"), NONE)
left_out("HEIC, as telephones write it, called .jpg", "heic.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" * 99, NONE)
left_out("an SVG with a script called .png", "svg.png", b"<svg onload='alert(1)'/>", NONE)
left_out("one pixel", "dot.png", encoded(Image.new("RGB", (1, 1)), "PNG"), "1x1 pixels")
left_out("20,000x20,000 pixels", "large.png", flat_png(20_000), "Image size (400000000 pixels) exceeds limit")
left_out(
    "a WebP header that claims 16,384x16,384 pixels",
    "claims.webp",
    b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0" + bytes(8),
    "",
)
left_out(
    "a colour profile that inflates to 1 GiB",
    "profile.png",
    png(40, 40, 8, 2, deflated(40 * 121), chunk(b"iCCP", b"x\0\0" + deflated(BOMB))),
    "Decompressed data too large",
)
left_out(
    "a comment that inflates to 1 GiB",
    "comment.png",
    png(40, 40, 8, 2, deflated(40 * 121), chunk(b"zTXt", b"x\0\0" + deflated(BOMB))),
    "Decompressed data too large",
)
taken("a PNG called .jpg", "png.jpg", encoded(picture(seed=9), "PNG"))
taken("an animated PNG: its first picture", "moves.png", encoded(picture(seed=9), "PNG", **FRAMES))
taken("an animated WebP: its first picture", "moves.webp", encoded(picture(seed=9), "WEBP", **FRAMES))
taken("a JPEG of two pictures (MPO): its first", "two.jpg", encoded(picture(seed=9), "MPO", **FRAMES))
taken("a CMYK JPEG", "cmyk.jpg", encoded(picture("CMYK", 9), "JPEG"))
taken("16-bit grey", "grey.png", encoded(Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40)), "PNG"))
taken("16-bit RGB", "deep.png", rgb_16())
taken("more rows than the picture has, 1 GiB of them", "more.png", png(40, 40, 8, 2, deflated(BOMB)))


@scenario(GROUP, "a file of 1 TiB, sparse, called .jpg")
def sparse(place: Place) -> str:
    """Try a file that no memory holds."""
    place.photographs()
    with (place.folder / "photographs" / "sparse.jpg").open("wb") as file:
        file.truncate(2**40)
    place.prepare(says="sparse.jpg (1,099,511,627,776 bytes; at most 536,870,912 are read)")
    return "the ten photographs beside it are prepared"


@scenario(GROUP, "a folder of all kinds of these, trained on")
def all_together(place: Place) -> str:
    """Train, not only prepare."""
    place.photographs()
    for name, content in {
        "cut.jpg": JPEG[:300],
        "empty.jpg": b"",
        "cmyk.jpg": encoded(picture("CMYK"), "JPEG"),
    }.items():
        place.write(f"photographs/{name}", content)
    place.write("photographs/deep.png", rgb_16())
    place.write("photographs/large.png", flat_png(20_000))
    with (place.folder / "photographs" / "sparse.jpg").open("wb") as file:
        file.truncate(2**40)
    own = ("data=folder", "data.root=photographs", "data.max_bad_fraction=0.5")
    place.train(*own, says="4 of 16 photographs cannot be used and are left out")
    return "the run has finished on the others"


@scenario(GROUP, "too many bad ones")
def too_many(place: Place) -> str:
    """Nothing is trained on a folder of rubbish."""
    place.photographs(count=3)
    for number in range(4):
        place.write(f"photographs/bad{number}.jpg", JPEG[: 100 + number])
    place.prepare(code=1, says="4 of 7 photographs in data.root=photographs cannot be used, more than")
    return "nothing is prepared"


def damaged_rows(side: int = 40) -> bytes:
    """Return a PNG file under right checksums whose rows are none."""
    return png(side, side, 8, 2, zlib.compress(struct.pack(">I", 0xFFFFFFFF) * 2))


left_out("rows that are none, under right checksums", "rows.png", damaged_rows(), "")
