"""An export: written aside, run and compared with the original, described, and then put in its place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from ablate.colorize.colorizer import Colorizer
from ablate.errors import DataError
from ablate.export.check import checked_lightness, compare, speed_table
from ablate.export.description import facts, write_description
from ablate.export.formats import FORMATS, Array, Runner
from ablate.export.network import in_float32
from ablate.export.place import put_in_place
from ablate.system.atomic_write import beside
from ablate.system.native_log import native_log


def export(colorizer: Colorizer, kind: str, out: Path, source: str, *, overwrite: bool = False) -> str:
    """Write a network in a format, and check it by running it.

    Args:
        colorizer: The network.
        kind: The format, one of `FORMATS`.
        out: The folder.
        source: Where the network comes from.
        overwrite: Whether an export that is there is replaced.

    Returns:
        What was done, how far it is from the original, and how fast both are.

    Raises:
        ConfigError: There is something else in the folder.
        DataError: What was written gives other colours than the original; nothing of it stays.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    chosen, single = FORMATS[kind], in_float32(colorizer)
    with tempfile.TemporaryDirectory(prefix=f"{beside(out).name}.", dir=out.parent) as aside:
        folder = Path(aside) / "export"
        folder.mkdir()
        with native_log():  # converters and runtimes introduce themselves
            _write(kind, single, folder)
            exported = chosen.runner(folder)
            lightness = checked_lightness(single.image_size)
            difference = compare(_runner(single), exported, lightness)
        precision = "" if single is colorizer else _precision(colorizer, single, lightness)
        write_description(folder, facts(single, kind, source, difference, precision))
        size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
        speed = speed_table({"original": _runner(colorizer), kind: exported}, lightness)
        put_in_place(folder, out, overwrite=overwrite)
    rounding = f" (the original from itself: {difference.itself:.1e})"
    lines = [
        f"{out} ({size / 2**20:,.1f} MiB): README.md says how to use it",
        f"  differs from the original by at most {difference.largest:.1e} ab units on {difference.squares} squares"
        + rounding,
        *([f"  {precision}"] if precision else []),
        *speed,
    ]
    return "\n".join(lines)


def _write(kind: str, colorizer: Colorizer, folder: Path) -> None:
    try:
        FORMATS[kind].write(colorizer, folder)
    except Exception as error:  # whatever a converter stumbles over
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"the network {colorizer.name} cannot be written as {kind}: {reason}") from error


def _runner(colorizer: Colorizer) -> Runner:
    def run(lightness: Array) -> Array:
        return colorizer.predict_ab(lightness[..., 0])

    return run


def _precision(colorizer: Colorizer, single: Colorizer, lightness: Array) -> str:
    """Say how far the colours in the original's own precision are from those in float32."""
    apart = np.abs(_runner(colorizer)(lightness) - _runner(single)(lightness))
    policy = next(layer.compute_dtype for layer in colorizer.model.layers if layer.compute_dtype != "float32")
    return (
        f"The original computes in {policy}, the export in float32 with the same weights; it is compared with the "
        f"original in float32. {policy} moves ab by {apart.mean():.2g} units on average, {apart.max():.2g} at most."
    )
