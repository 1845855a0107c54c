"""Addresses of stores, without what others should not read."""

import pytest

from ablate.tracking.store import store_name, without_password


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://me:secret@host:5432/db", "postgresql://host:5432/db"),
        (
            "postgresql://host/db?user=me&password=secret&sslmode=require",
            "postgresql://host/db?user=me&sslmode=require",
        ),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
        ("sqlite:////a/b.db?timeout=60", "sqlite:////a/b.db?timeout=60"),
    ],
)
def test_an_address_is_shown_without_its_password(uri: str, shown: str) -> None:
    assert without_password(uri) == shown


@pytest.mark.parametrize(
    ("uri", "text"),
    [("sqlite:////home/me/mlflow.db", "mlflow.db"), ("http://me:secret@server:5000", "http://server:5000")],
)
def test_a_store_is_named_without_what_others_should_not_read(uri: str, text: str) -> None:
    assert store_name(uri) == text
