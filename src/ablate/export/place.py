"""The folder of an export."""

import shutil
from pathlib import Path

from ablate.errors import ConfigError


def check_place(out: Path, *, overwrite: bool) -> None:
    """Check that an export may be written to a folder.

    Raises:
        ConfigError: Something is there: an export without `overwrite`, or anything else.
    """
    if not out.exists() and not out.is_symlink():
        return
    is_export = (out / "metadata.json").is_file() and (out / "example.py").is_file()
    if not is_export or out.is_symlink():
        raise ConfigError(f"{out} is there already, and is no export: give another out=DIR")
    if not overwrite:
        raise ConfigError(f"{out} is there already: overwrite=true replaces it, out=DIR writes another one")


def put_in_place(folder: Path, out: Path, *, overwrite: bool) -> None:
    """Move what was written aside to its place; what was there goes to where it was written.

    Raises:
        ConfigError: See `check_place`.
    """
    check_place(out, overwrite=overwrite)
    if out.exists():
        out.rename(folder.with_name("before"))
    shutil.move(folder, out)
