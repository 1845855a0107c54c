"""Names of files have one spelling, whoever wrote them."""

import unicodedata

import pytest

from ablate.colorization.data.file_names import is_hidden, is_photograph, normalized_name, printable

ACCENTED = "\u00fcber/caf\u00e9.png"


@pytest.mark.parametrize(
    "spelled",
    [
        "photos/val/a.png",
        "./photos/val/a.png",
        "/photos/val/a.png",
        "photos\\val\\a.png",
        "photos\\val/a.png",
        ".\\photos\\val\\a.png",
        "C:\\photos\\val\\a.png",
        "c:/photos/val/a.png",
        "photos//val/./a.png",
        "../photos/val/a.png",
        "..\\..\\photos/val/a.png",
        "//photos/val/a.png",
    ],
)
def test_a_path_has_one_spelling(spelled):
    assert normalized_name(spelled) == "photos/val/a.png"


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_accents_have_one_spelling(form):
    assert normalized_name(unicodedata.normalize(form, ACCENTED)) == ACCENTED


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("a:b.png", "a:b.png"),
        ("..png", "..png"),
        ("x/...png", "x/...png"),
        ("a b/ c.png", "a b/ c.png"),
        ("caf\udce9.png", r"caf\xe9.png"),
        ("two\nlines.png", r"two\nlines.png"),
        ("'\"\u732b.png", "'\"\u732b.png"),
        ("..", ""),
        ("", ""),
    ],
)
def test_other_names_stay_and_can_be_printed(spelled, name):
    assert normalized_name(spelled) == name


@pytest.mark.parametrize("name", ["__MACOSX/photos/._a.png", ".a.png", "a/.trash/b.png", "__MACOSX/a.png"])
def test_what_nobody_sees_is_no_photograph(name):
    assert is_hidden(name)
    assert not is_photograph(name)


@pytest.mark.parametrize("name", ["a.png", "A.JPG", "x/y.jpeg", "z.WebP"])
def test_a_photograph_is_told_by_its_ending(name):
    assert is_photograph(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain name.png", "plain name.png"),
        ("été 写真 👩\u200d🚀.png", "été 写真 👩\u200d🚀.png"),
        ("Screenshot at 9\u202fAM.png", "Screenshot at 9\u202fAM.png"),
        ("caf\udce9.png", r"caf\xe9.png"),
        ("half a pair \ud83d.png", r"half a pair \ud83d.png"),
        ("two\nlines\r.png", r"two\nlines\r.png"),
        ("a\u2028b\x85c.png", r"a\u2028b\x85c.png"),
        ("\x1b[2J\ttab.png", r"\x1b[2J\ttab.png"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
    ],
)
def test_a_name_is_one_line_of_text_that_commands_nothing(name, expected):
    found = printable(name)
    assert found == expected
    assert len(found.splitlines()) == 1
    found.encode()
