"""The version of an open tracking store: a server's MLflow, or the schema of a database."""

from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import urlopen

import mlflow

from ablate.tracking.database_schema import schema_version
from ablate.tracking.store import without_password

_SECONDS = 5.0


def store_version(uri: str) -> str:
    """Return the version of a store in words; empty where it has none, or does not say.

    Args:
        uri: Address of the store, which is open.

    Raises:
        TrackingError: A database cannot be read.
    """
    scheme = urlsplit(uri).scheme
    if "sql" in scheme:
        return f"schema {schema_version(uri)}, that of the installed MLflow {mlflow.__version__}"
    if scheme in ("http", "https"):
        # A server says so without a password.
        with (
            suppress(OSError, ValueError),
            urlopen(f"{without_password(uri).rstrip('/')}/version", timeout=_SECONDS) as said,
        ):
            return f"MLflow {said.read(50).decode('utf-8')}, the installed one is {mlflow.__version__}"
    return ""
