"""Previews: experiments to try, whose answers lie in a database of their own, which ends with the server."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database
from ablate.turing.serve.recruiting import Exit, Recruiting
from ablate.turing.serve.security import Signer
from ablate.turing.serve.sessions import Sessions, open_sessions

_EXIT = Exit(code="PREVIEW")


def preview_name(signer: Signer, experiment: str) -> str:
    """Return what stands for an experiment in the address of its preview: only who is given it finds it."""
    return f"{experiment}~{signer.preview_key(experiment)}"


def open_previews(
    bundles: Sequence[Bundle], recruiting: Recruiting, signer: Signer, folder: Path
) -> Mapping[str, Sessions]:
    """Return an experiment like each of those that are served, by its name in the address.

    Args:
        bundles: Those that are served.
        recruiting: Alike; a preview has the same words, but neither ids, nor codes, nor a number that is enough.
        signer: The server's.
        folder: For the database; whoever made it removes it.
    """
    database = Database(f"sqlite:///{folder.absolute() / 'preview.db'}")
    tried = replace(
        recruiting,
        completion=recruiting.completion and _EXIT,
        screen_out=recruiting.screen_out and _EXIT,
        finished_per_algorithm=None,
    )
    return {
        preview_name(signer, bundle.manifest.name): open_sessions(database, bundle, tried, preview=True)
        for bundle in bundles
    }
