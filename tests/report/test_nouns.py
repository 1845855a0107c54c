"""Nouns in the plural and with their article."""

import pytest

from ablate.report.nouns import capitalized, plural, with_article


@pytest.mark.parametrize(
    ("noun", "several"),
    [
        ("digit", "digits"),
        ("photograph", "photographs"),
        ("query", "queries"),
        ("day", "days"),
        ("test batch", "test batches"),
        ("box", "boxes"),
        ("loss", "losses"),
        ("time series", "time series"),
        ("person", "people"),
        ("", "s"),
    ],
)
def test_nouns_have_a_plural(noun: str, several: str) -> None:
    assert plural(noun) == several


def test_an_article_fits_its_noun_and_names_keep_their_capitals() -> None:
    assert (with_article("image"), with_article("digit"), with_article("")) == ("an image", "a digit", "a ")
    assert (capitalized("MRI scan"), capitalized("digit"), capitalized("")) == ("MRI scan", "Digit", "")
