import struct
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ablate.colorization.data import decode as module
from ablate.colorization.data.decode import MAX_PIXELS, MIN_SIDE, decode
from ablate.colorization.data.files import MAX_BYTES
from ablate.colorization.data.sources.sample import sample_paths
from ablate.errors import DataError

HEIGHT, WIDTH = 12, 16
ORIENTATION = 0x0112


def pixels_of(content):
    image = decode(content)
    assert image.mode == "RGB"
    return np.asarray(image)


def flat(color, mode="RGB"):
    return Image.new(mode, (WIDTH, HEIGHT), color)


def assert_flat(content, color, tolerance=0):
    pixels = pixels_of(content).astype(int)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(pixels - color).max() <= tolerance


def reason(content):
    with pytest.raises(DataError) as caught:
        decode(content)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_lossless_files_give_their_very_pixels(noise, encode, kind, options):
    np.testing.assert_array_equal(pixels_of(encode(noise(), kind, **options)), noise())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_files_give_about_their_pixels(encode, kind):
    assert_flat(encode(flat((200, 90, 40)), kind, quality=95), (200, 90, 40), tolerance=4)


def test_a_progressive_jpeg_is_read(encode):
    assert_flat(encode(flat((20, 90, 140)), "JPEG", progressive=True, quality=95), (20, 90, 140), tolerance=4)


def test_a_jpeg_of_two_pictures_gives_the_first(encode):
    # So save many telephones.
    content = encode(flat((200, 90, 40)), "MPO", save_all=True, append_images=[flat((0, 0, 255))])
    assert_flat(content, (200, 90, 40), tolerance=4)


def test_an_animation_gives_its_first_picture(encode):
    frames = {"save_all": True, "append_images": [flat((0, 0, 255))]}
    assert_flat(encode(flat((200, 90, 40)), "PNG", **frames), (200, 90, 40))
    assert_flat(encode(flat((200, 90, 40)), "WEBP", lossless=True, **frames), (200, 90, 40))


@pytest.mark.parametrize(
    ("image", "color"),
    [
        (flat(77, "L"), (77, 77, 77)),
        (flat(1, "1"), (255, 255, 255)),
        (flat(0, "1"), (0, 0, 0)),
        (flat((77, 255), "LA"), (77, 77, 77)),
        (flat((77, 0), "LA"), (255, 255, 255)),
        (flat((10, 20, 30, 255), "RGBA"), (10, 20, 30)),
        (flat((10, 20, 30, 0), "RGBA"), (255, 255, 255)),
        (flat((0, 100, 200, 51), "RGBA"), (204, 224, 244)),
        (flat((10, 200, 30)).quantize(4), (10, 200, 30)),
    ],
    ids=["L", "white-1", "black-1", "LA", "LA-clear", "RGBA", "RGBA-clear", "RGBA-part", "P"],
)
def test_every_mode_becomes_rgb_on_white(encode, image, color):
    assert_flat(encode(image), color, tolerance=1)


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"], ids=["one-entry", "table"])
def test_a_transparent_palette_entry_becomes_white(encode, transparency):
    image = Image.new("P", (WIDTH, HEIGHT), 0)
    image.putpalette([10, 200, 30, 90, 90, 90])
    image.paste(1, (0, 0, WIDTH // 2, HEIGHT))
    pixels = pixels_of(encode(image, transparency=transparency))
    assert (pixels[:, : WIDTH // 2] == 255).all()
    assert (pixels[:, WIDTH // 2 :] == (10, 200, 30)).all()


def test_one_transparent_colour_of_an_rgb_file_becomes_white(encode):
    image = flat((10, 200, 30))
    image.paste((1, 2, 3), (0, 0, 4, HEIGHT))
    pixels = pixels_of(encode(image, transparency=(1, 2, 3)))
    assert (pixels[:, :4] == 255).all()
    assert (pixels[:, 4:] == (10, 200, 30)).all()


def test_a_cmyk_jpeg_gives_its_colours(encode):
    # No cyan, all magenta, no yellow, a fifth of black: (255, 0, 255) * 4/5.
    assert_flat(encode(flat((0, 255, 0, 51), "CMYK"), "JPEG", quality=95), (204, 0, 204), tolerance=4)


@pytest.mark.parametrize(
    ("deep", "expected"), [(0, 0), (65535, 255), (257 * 100, 100), (257 * 100 + 200, 101), (257 * 200 + 120, 200)]
)
def test_16_bit_greys_are_scaled_not_cut(encode, deep, expected):
    image = Image.fromarray(np.full((HEIGHT, WIDTH), deep, np.uint16))
    assert image.mode == "I;16"
    assert_flat(encode(image), (expected,) * 3)


# How the upright picture is to be turned so that the orientation's viewer turns it back (EXIF 2.3, tag 274).
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_a_turned_photograph_ends_upright(encode, orientation):
    upright = np.zeros((24, 32, 3), np.uint8)
    upright[:12, :16] = (220, 40, 40)
    upright[:12, 16:] = (40, 220, 40)
    upright[12:, :16] = (40, 40, 220)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = np.ascontiguousarray(STORED[orientation](upright))
    pixels = pixels_of(encode(stored, "JPEG", quality=95, subsampling=0, exif=exif))
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).mean() < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_named_damaged(noise, encode, kind):
    content = encode(noise(height=64, width=64), kind)
    reason(content[: len(content) // 2])


@pytest.mark.parametrize(
    "content", [b"", b"hello, I am no picture\n", b"\x00" * 500, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_called_so(content):
    assert "BytesIO" not in reason(content)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_another_format_is_refused_whatever_its_name(encode, kind):
    assert reason(encode(flat((10, 20, 30)), kind)) == "no JPEG, PNG or WebP picture"


@pytest.mark.parametrize("size", [(1, 1), (MIN_SIDE - 1, 40), (40, MIN_SIDE - 1)])
def test_a_tiny_picture_is_refused_with_its_size(encode, size):
    message = reason(encode(Image.new("RGB", size)))
    assert message == f"{size[0]}x{size[1]} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed"


def test_the_smallest_picture_is_taken(encode):
    assert decode(encode(Image.new("RGB", (MIN_SIDE, MIN_SIDE)))).size == (MIN_SIDE, MIN_SIDE)


def test_damage_to_other_exif_costs_neither_photograph_nor_orientation(encode):
    # A turned photograph whose description (tag 270) is a fraction (type 5) in place of text.
    entries = [(0x010E, 5, 1, 38), (ORIENTATION, 3, 1, 6)]
    directory = struct.pack("<H", 2) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory + struct.pack("<III", 0, 1, 30)
    assert decode(encode(flat((200, 90, 40)), "JPEG", exif=exif)).size == (HEIGHT, WIDTH)


def test_a_picture_too_large_to_be_one_is_refused(monkeypatch, encode):
    content = encode(flat((1, 2, 3)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", WIDTH * HEIGHT // 3)
    assert "pixels" in reason(content)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12))
def test_damaged_bytes_give_a_picture_or_a_reason(noise, encode, kind, changes):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010E] = "a description"
    content = bytearray(encode(noise(), kind, exif=exif))
    for place, value in changes:
        content[int(place * len(content))] = value
    with warnings.catch_warnings():
        # Pillow warns of EXIF that it mends.
        warnings.simplefilter("ignore")
        try:
            image = decode(bytes(content))
        except DataError as error:
            message = str(error)
            assert message
            assert "\n" not in message
        else:
            assert image.mode == "RGB"
            assert min(image.size) >= MIN_SIDE


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def chunks_of(png):
    place = 8
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "I;16"]),
    lost=st.sets(st.integers(0, 5), max_size=2),
    changes=st.lists(st.tuples(st.integers(0, 5), st.floats(0, 0.999), st.integers(0, 255)), max_size=3),
)
def test_png_files_damaged_under_a_right_checksum_give_a_picture_or_a_reason(noise, encode, mode, lost, changes):
    image = Image.fromarray(noise()).convert(mode if mode != "I;16" else "L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    chunks = list(chunks_of(encode(image, icc_profile=b"damaged", **({"transparency": 3} if mode == "P" else {}))))
    for number, share, value in changes:
        kind, content = chunks[number % len(chunks)]
        damaged = bytearray(content)
        if damaged:
            damaged[int(share * len(damaged))] = value
        chunks[number % len(chunks)] = kind, bytes(damaged)
    kept = [chunk(*each) for number, each in enumerate(chunks) if number not in lost]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert decode(b"\x89PNG\r\n\x1a\n" + b"".join(kept)).mode == "RGB"
        except DataError as error:
            reasons = [str(error)]
        else:
            reasons = []
    assert all(reasons)


def test_an_indexed_picture_without_its_palette_is_bad(noise, encode):
    indexed = encode(Image.fromarray(noise()).convert("P"))
    kept = [chunk(kind, content) for kind, content in chunks_of(indexed) if kind != b"PLTE"]
    with pytest.raises(DataError):
        decode(b"\x89PNG\r\n\x1a\n" + b"".join(kept))


def test_a_colour_profile_is_applied():
    # Of the sample photographs, one is in Adobe RGB: its closed form (Adobe RGB (1998) 4.3.1.2, IEC 61966-2-1).
    [path] = [path for name, path in sample_paths("train") if name == "rocket"]
    adobe = np.asarray(Image.open(path), np.float64)[::16, ::16] / 255
    to_xyz = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    to_linear = [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
    linear = (adobe**2.19921875 @ np.transpose(to_xyz) @ np.transpose(to_linear)).clip(0, 1)
    expected = 255 * np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    decoded = np.asarray(decode(path.read_bytes()), np.float64)[::16, ::16]
    assert np.abs(decoded - expected).max() < 4
    assert np.abs(decoded - 255 * adobe).max() > 20


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "keyed"])
def test_a_colour_profile_is_applied_to_every_kind_of_picture(encode, mode):
    [path] = [path for name, path in sample_paths("train") if name == "rocket"]
    with Image.open(path) as rocket:
        profile = rocket.info["icc_profile"]
    image = Image.new("RGB", (20, 20), (60, 200, 60))
    expected = decode(encode(image, icc_profile=profile)).getpixel((0, 0))
    assert max(abs(one - other) for one, other in zip(expected, (60, 200, 60), strict=True)) > 20
    options = {"transparency": (60, 200, 61)} if mode == "keyed" else {}
    image = image if mode == "keyed" else image.convert(mode, palette=Image.Palette.ADAPTIVE)
    if mode == "RGBA":
        image.putpixel((1, 1), (60, 200, 60, 0))
    if mode == "keyed":
        image.putpixel((1, 1), (60, 200, 61))
    decoded = decode(encode(image, icc_profile=profile, **options))
    assert decoded.getpixel((0, 0)) == expected
    if mode in ("RGBA", "keyed"):
        assert decoded.getpixel((1, 1)) == (255, 255, 255)


def test_a_damaged_colour_profile_counts_as_none(noise, encode):
    np.testing.assert_array_equal(decode(encode(noise(), icc_profile=b"nonsense")), noise())


def test_a_transparent_16_bit_grey_becomes_white(encode):
    deep = np.full((10, 10), 1000, np.uint16)
    deep[5:] = 30000
    png = list(chunks_of(encode(Image.fromarray(deep))))
    png.insert(1, (b"tRNS", struct.pack(">H", 1000)))
    pixels = np.asarray(decode(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in png)))
    assert (pixels[:5] == 255).all()
    assert (pixels[5:] == round(30000 / 257)).all()


def test_the_largest_file_is_that_of_the_most_pixels():
    assert 3 * MAX_PIXELS <= MAX_BYTES < 3 * (MAX_PIXELS + 1)
    assert Image.MAX_IMAGE_PIXELS is not None
    assert 2 * Image.MAX_IMAGE_PIXELS == MAX_PIXELS


def test_more_pixels_than_the_most_are_refused_by_the_header_alone():
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    assert "400000000 pixels" in reason(content)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt"])
def test_a_chunk_that_inflates_to_much_is_refused(noise, encode, kind):
    png = encode(noise())
    bomb = chunk(kind, b"x\0\0" + zlib.compress(bytes(2**26), 9))
    tracemalloc.start()
    try:
        reason(png[:33] + bomb + png[33:])
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_rows_beyond_the_picture_s_are_not_inflated(noise, encode):
    rows = zlib.compress(bytes(HEIGHT * (1 + 3 * WIDTH)) + bytes(2**26), 9)
    chunks = [(kind, rows if kind == b"IDAT" else content) for kind, content in chunks_of(encode(flat((1, 2, 3))))]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)
    assert_flat(content, (0, 0, 0))


def test_large_photographs_are_decoded_one_at_a_time(monkeypatch, encode):
    monkeypatch.setattr(module, "_LARGE", WIDTH * HEIGHT)
    held = []
    monkeypatch.setattr(module, "_to_rgb", lambda image: held.append(module._one_large.locked()) or image)
    decode(encode(flat((1, 2, 3))))
    decode(encode(Image.new("RGB", (WIDTH + 1, HEIGHT))))
    assert held == [False, True]
    assert not module._one_large.locked()


def test_every_16_bit_grey_is_rounded_to_the_nearest(encode):
    deep = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    expected = np.round(deep / 257).astype(np.uint8)
    np.testing.assert_array_equal(pixels_of(encode(Image.fromarray(deep)))[..., 0], expected)
