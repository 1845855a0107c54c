"""Photographs of every kind: what comes back is the same file, in colour."""

import io
import struct
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms

from ablate.colorize.coloring import join_colors
from ablate.colorize.deep import PNG_SIGNATURE, write_png
from ablate.colorize.photograph import MAX_PIXELS, Photograph, measure_sent, measure_stream, read_photograph
from ablate.colorize.save import encode_photograph, save_photograph
from ablate.errors import DataError

ORIENTATION = ExifTags.Base.Orientation
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def coloured(content: bytes, ab: np.ndarray) -> bytes:
    photograph = read_photograph(content)
    file = io.BytesIO()
    save_photograph(join_colors(photograph, photograph.square(64), ab), file)
    return file.getvalue()


def lightness(photograph: Photograph) -> np.ndarray:
    return photograph.joiner.lightness(photograph.planes(0, photograph.size[1]))


def deep_grey(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257 // 2 * 2)


def translucent(image: Image.Image) -> Image.Image:
    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    return clear


def png_of(samples: np.ndarray, kind: int) -> bytes:
    """Return 16-bit samples, (height, width, channels), as a PNG file of a kind of colour."""
    height, width, _ = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    made = PNG_SIGNATURE
    for name, data in chunks.items():
        made += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return made


KINDS: dict[str, Any] = {
    "grey PNG": lambda image: encoded(image.convert("L"), "PNG"),
    "PNG": lambda image: encoded(image, "PNG"),
    "palette": lambda image: encoded(image.quantize(64), "PNG"),
    "bilevel": lambda image: encoded(image.convert("1"), "PNG"),
    "opacity": lambda image: encoded(translucent(image), "PNG"),
    "grey with opacity": lambda image: encoded(translucent(image).convert("LA"), "PNG"),
    "one transparent colour": lambda image: encoded(image.convert("L"), "PNG", transparency=7),
    "lossless WebP": lambda image: encoded(image, "WEBP", lossless=True),
    "WebP with opacity": lambda image: encoded(translucent(image), "WEBP", lossless=True),
    "TIFF": lambda image: encoded(image, "TIFF"),
    "compressed grey TIFF": lambda image: encoded(image.convert("L"), "TIFF", compression="tiff_lzw"),
    "deep grey PNG": lambda image: encoded(deep_grey(image), "PNG"),
    "deep grey TIFF": lambda image: encoded(deep_grey(image), "TIFF"),
    "compressed deep grey TIFF": lambda image: encoded(deep_grey(image), "TIFF", compression="tiff_adobe_deflate"),
    "deep PNG": lambda image: png_of(np.asarray(image).astype(np.uint16) * 257 - 3 * (np.asarray(image) > 9), 2),
    "deep PNG with opacity": lambda image: png_of(np.asarray(translucent(image)).astype(np.uint16) * 200, 6),
    "deep grey PNG with opacity": lambda image: png_of(
        np.asarray(translucent(image).convert("LA")).astype("u2") * 250, 4
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_everything_but_colours_stays(kind: str, astronaut: Image.Image, drawn_ab: np.ndarray) -> None:
    content = KINDS[kind](astronaut)
    before, after = read_photograph(content), read_photograph(coloured(content, drawn_ab))
    assert (after.format, after.size, after.depth, after.image.mode) == (
        before.format,
        before.size,
        before.depth,
        "RGB",
    )
    assert before.depth == ("uint16" if "deep" in kind else "uint8")
    np.testing.assert_allclose(lightness(after), lightness(before), atol=0.3 if before.depth == "uint8" else 0.02)
    assert (before.alpha is None) == (after.alpha is None) == ("opacity" not in kind and "transparent" not in kind)
    if before.alpha is not None:
        np.testing.assert_array_equal(before.alpha, after.alpha)
    assert after.has_colors() == (kind != "bilevel")


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_deep_tiff_files_of_other_programs(
    byteorder: str, compression: str | None, astronaut: Image.Image, drawn_ab: np.ndarray
) -> None:
    pixels = np.asarray(astronaut).astype(np.uint16) * 251 + 5
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, photometric="rgb", byteorder=byteorder, compression=compression)
    before = read_photograph(file.getvalue())
    np.testing.assert_array_equal(np.moveaxis(before.planes(0, 96), 0, -1), pixels)
    again = coloured(file.getvalue(), drawn_ab)
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(again)), np.moveaxis(read_photograph(again).deep, 0, -1))
    np.testing.assert_allclose(lightness(read_photograph(again)), lightness(before), atol=0.02)


@pytest.mark.parametrize(("mode", "kind"), [("L", "JPEG"), ("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "WEBP")])
def test_files_with_losses(mode: str, kind: str, astronaut: Image.Image, drawn_ab: np.ndarray) -> None:
    content = encoded(astronaut.convert(mode), kind, quality=95)
    before, after = read_photograph(content), read_photograph(coloured(content, drawn_ab / 4))
    assert (after.format, after.size) == (kind, before.size)
    assert np.abs(lightness(after) - lightness(before)).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_seen_upright_and_stays_turned(orientation: int, astronaut: Image.Image) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[ExifTags.Base.Make] = "Camera"
    upright = read_photograph(encoded(astronaut, "PNG"))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = astronaut.transpose(Image.Transpose(turns[orientation])) if orientation > 1 else astronaut
    content = encoded(stored, "PNG", exif=exif)
    turned = read_photograph(content)
    np.testing.assert_allclose(turned.square(32), upright.square(32), atol=3)
    # Colours that differ from place to place are where they are in the upright one.
    ab = np.zeros((16, 16, 2), np.float32)
    ab[:4, :4] = 60, 40
    plain = join_colors(upright, upright.square(64), ab, "bilinear").image
    found = read_photograph(coloured(content, ab)).image
    with Image.open(io.BytesIO(coloured(content, ab))) as opened:
        assert (opened.getexif()[ORIENTATION], opened.getexif()[ExifTags.Base.Make]) == (orientation, "Camera")
    back = turned.upright(join_colors(turned, turned.square(64), ab, "bilinear").image)
    np.testing.assert_allclose(np.asarray(back, int), np.asarray(plain, int), atol=3)
    assert found.size == stored.size


def test_what_comes_with_a_jpeg_stays_but_for_its_thumbnail(astronaut: Image.Image, drawn_ab: np.ndarray) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[ExifTags.Base.Artist] = 1, "Somebody"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2001:02:03 04:05:06"
    blob = bytearray(exif.tobytes())
    # A second directory, which would hold a thumbnail.
    (first,) = struct.unpack_from("<I" if blob[6:8] == b"II" else ">I", blob, 10)
    order = "<" if blob[6:8] == b"II" else ">"
    (count,) = struct.unpack_from(f"{order}H", blob, 6 + first)
    struct.pack_into(f"{order}I", blob, 6 + first + 2 + 12 * count, 8)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    content = encoded(
        astronaut, "JPEG", exif=bytes(blob), icc_profile=SRGB_PROFILE, dpi=(240, 240), comment=b"a comment", xmp=xmp
    )
    with Image.open(io.BytesIO(coloured(content, drawn_ab))) as opened:
        assert opened.info["icc_profile"] == SRGB_PROFILE
        assert opened.info["dpi"] == (240, 240)
        assert opened.info["comment"] == b"a comment"
        assert opened.info["xmp"] == xmp
        kept = opened.getexif()
        assert kept[ExifTags.Base.Artist] == "Somebody"
        assert kept.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2001:02:03 04:05:06"
        assert not kept.get_ifd(ExifTags.IFD.IFD1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_profiles_and_exif_of_other_formats_stay(kind: str, astronaut: Image.Image, drawn_ab: np.ndarray) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Somebody"
    content = encoded(astronaut, kind, exif=exif, icc_profile=SRGB_PROFILE)
    with Image.open(io.BytesIO(coloured(content, drawn_ab))) as opened:
        assert opened.info["icc_profile"] == SRGB_PROFILE
        assert opened.getexif()[ExifTags.Base.Artist] == "Somebody"


def test_deep_files_keep_theirs(astronaut: Image.Image, drawn_ab: np.ndarray) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Somebody"
    for kind in ("PNG", "TIFF"):
        content = encoded(deep_grey(astronaut), kind, exif=exif, dpi=(300, 300))
        with Image.open(io.BytesIO(coloured(content, drawn_ab))) as opened:
            assert opened.getexif()[ExifTags.Base.Artist] == "Somebody"
            assert round(opened.info["dpi"][0]) == 300


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    content = (
        PNG_SIGNATURE + struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    )
    content += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    for refuse in (read_photograph, lambda content: measure_stream(io.BytesIO(content))):
        with pytest.raises(DataError, match=rf"more than {MAX_PIXELS // 10**6} megapixels") as caught:
            refuse(content)
        assert "\n" not in str(caught.value)


def test_a_file_of_many_scans_is_refused_before_it_is_decoded(astronaut: Image.Image) -> None:
    content = encoded(astronaut, "JPEG", progressive=True, exif=b"Exif\0\0" + b"\xff\xda" * 200)
    scan, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    # In other segments, and behind the end, the same bytes are no scans.
    assert read_photograph(content + b"\xff\xda" * 200).size == (128, 96)
    for filled in (b"", b"\xff"):
        with pytest.raises(DataError, match="more than 100 scans, and may be a decompression bomb"):
            read_photograph(content[:end] + (filled + content[scan:end]) * 100 + content[end:])


def test_so_is_one_that_is_not_progressive(astronaut: Image.Image) -> None:
    content = encoded(astronaut, "JPEG")
    scan, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    # One channel, without data: libjpeg takes as many of these as there are.
    empty = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0)
    with pytest.raises(DataError, match="more than 100 scans"):
        read_photograph(content[:scan] + empty * 101 + content[end:])


def tiff(**tags: int) -> bytes:
    """Return a file of 10x10 grey pixels with other tags."""
    entries = {256: 10, 257: 10, 258: 8, 259: 5, 262: 1, 277: 1, **{int(name[1:]): tag for name, tag in tags.items()}}
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return (
        head
        + b"".join(struct.pack("<HHII", number, 4, 1, tag) for number, tag in sorted(entries.items()))
        + bytes(999)
    )


def test_a_tile_counts_as_it_is_held() -> None:
    for sides, message in ((40_000, "a tile of it has more than 178 megapixels"), (8_000, "more than 50 megapixels")):
        content = tiff(_322=sides, _323=sides, _324=200, _325=100)
        with pytest.raises(DataError, match=message):
            measure_sent(content)


def profile(tags: dict[bytes, tuple[int, int]], body: bytes = b"") -> bytes:
    """Return a colour profile of RGB with tags, of each its place and its size, and with what they lie in."""
    head = bytes(16) + b"RGB XYZ " + bytes(12) + b"acsp" + bytes(88) + struct.pack(">I", len(tags))
    return head + b"".join(struct.pack(">4sII", name, *place) for name, place in tags.items()) + body


def curves_and_matrix(xyz: int, samples: int) -> bytes:
    places = 132 + 12 * 6
    curve = b"curv" + struct.pack(">II", 0, samples) + np.linspace(0, 65535, samples).astype(">u2").tobytes()
    tags = {
        f"{color}{kind}".encode(): place
        for color in "rgb"
        for kind, place in (("XYZ", (places, 20)), ("TRC", (places + 20, len(curve))))
    }
    return profile(tags, b"XYZ " + struct.pack(">Iiii", 0, xyz, xyz, xyz) + curve)


def test_profiles_take_no_more_than_their_size(astronaut: Image.Image, drawn_ab: np.ndarray) -> None:
    # Thousands of tags, each of which is all of the profile.
    many = profile({struct.pack(">I", number): (0, 10**6) for number in range(20_000)}, bytes(10**6))
    tracemalloc.start()
    for each in (many, curves_and_matrix(20_000, 2**17), curves_and_matrix(0, 256)):
        content = encoded(astronaut, "WEBP", icc_profile=each, lossless=True)
        with Image.open(io.BytesIO(coloured(content, drawn_ab))) as opened:
            # None that can be used, and it stays.
            assert opened.info["icc_profile"] == each
        assert np.isfinite(read_photograph(content).square(8)).all()
    assert tracemalloc.get_traced_memory()[1] < 100 * 10**6
    tracemalloc.stop()


def test_exif_of_several_segments_stays(astronaut: Image.Image, drawn_ab: np.ndarray) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.ImageDescription] = 6, "x" * 150_000
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    parts = [b"Exif\0\0" + data[start : start + 60_000] for start in range(0, len(data), 60_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts)
    content = encoded(astronaut, "JPEG")
    with Image.open(io.BytesIO(coloured(content[:2] + segments + content[2:], drawn_ab))) as opened:
        assert opened.getexif()[ExifTags.Base.ImageDescription] == "x" * 150_000
        assert opened.getexif()[ExifTags.Base.Orientation] == 6


def test_what_a_format_cannot_hold_is_said(astronaut: Image.Image) -> None:
    read = read_photograph(encoded(astronaut, "JPEG"))
    with pytest.raises(DataError, match="cannot be written with all that came with it"):
        encode_photograph(replace(read, metadata={"comment": b"x" * 70_000}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no JPEG, PNG, WebP or TIFF"),
        (b"text", "no JPEG, PNG, WebP or TIFF"),
        (encoded(Image.new("F", (9, 9)), "TIFF"), "32 bits a channel"),
        (
            encoded(Image.new("L", (9, 9)), "TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]),
            "several pages",
        ),
        (encoded(Image.new("RGB", (99, 99), "red"), "PNG")[:120], "truncated|Truncated"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_photograph(content)


def test_a_deep_png_is_what_was_written() -> None:
    planes = np.random.default_rng(0).integers(0, 65536, (4, 130, 31), dtype=np.uint16)
    file = io.BytesIO()
    write_png(file, planes, [(b"tEXt", b"Title\0one")])
    read = read_photograph(file.getvalue())
    np.testing.assert_array_equal(read.deep, planes[:3])
    np.testing.assert_array_equal(read.alpha, planes[3])
    assert read.metadata["chunks"] == [(b"tEXt", b"Title\0one")]
