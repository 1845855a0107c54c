"""Tells in the pixels of a bundle: how often a classifier finds the real picture of a pair by statistics of its L.

`ablate.turing.build.lightness_statistics` has the statistics, `two_sample` the classifiers, which tell of other
photographs than they learn from. L is given to them to some digits and exactly; exactly it is nearly the colour
itself. For comparison: what the share of pixels at the edge of sRGB and the number of colours tell.

    python -m ablate.colorize DIR out=COLOURED
    python -m ablate.turing build real=DIR external.packaged=COLOURED name=pixels photographs=240
    python benchmarks/turing_pixels.py results/turing/pixels [--page]

With `--page` the table goes between two markers of docs/turing.md.
"""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.color import rgb2lab
from tqdm import tqdm

from ablate.system.threads import parallel_map
from ablate.turing.build.lightness_statistics import lightness_statistics
from ablate.turing.build.two_sample import CLASSIFIERS, best_statistic, found_out
from ablate.turing.bundle import Bundle
from side_by_side import ROOT, renewed

PAGE = ROOT / "docs" / "turing.md"
BEGIN, END = "<!-- pixels: written by benchmarks/turing_pixels.py -->", "<!-- end of pixels -->"
KNOWN = {"L to 0.1": 0.1, "L to 0.01": 0.01, "L to 0.002": 0.002, "L exactly": None}
COLOR = "edge of sRGB, colours"


def statistics(content: bytes) -> dict[str, dict[str, float]]:
    """Return the statistics of a picture, by what is known of it."""
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    L = np.asarray(rgb2lab(pixels)[..., 0], np.float64)
    found = {name: lightness_statistics(L, resolution) for name, resolution in KNOWN.items()}
    edge = (pixels == 0) | (pixels == 255)
    found[COLOR] = {
        "share of pixels at the edge of sRGB": float(edge.any(axis=-1).mean()),
        "number of colours": float(len(np.unique(pixels.reshape(-1, 3) @ (65536, 256, 1)))),
    }
    return found


def rows(folder: Path) -> list[str]:
    """Return the rows of a bundle's table, as Markdown."""
    bundle = Bundle(folder)
    stimuli = bundle.manifest.stimuli
    files = [file for stimulus in stimuli for file in (stimulus.real, *stimulus.recolored)]
    made = parallel_map(lambda file: statistics(bundle.picture(file)), files)
    found = dict(zip(files, tqdm(made, total=len(files), unit=" pictures"), strict=True))
    photographs = [stimulus.photograph for stimulus in stimuli]
    lines = []
    for place, algorithm in enumerate(bundle.manifest.algorithms):
        for known in [*KNOWN, COLOR]:
            names = list(found[files[0]][known])
            differences = np.array([
                [found[stimulus.recolored[place]][known][name] - found[stimulus.real][known][name] for name in names]
                for stimulus in stimuli
            ])  # fmt: skip
            told = [found_out(differences, photographs, classifier=classifier) for classifier in CLASSIFIERS]
            name, alone = best_statistic(differences, names)
            cells = [f"{100 * share:.1f} %" for share in told]
            lines.append(
                f"| {bundle.manifest.name}, {algorithm.name} | {len(stimuli)} of {len(set(photographs))} | {known} | "
                f"{' | '.join(cells)} | {100 * alone:.1f} %: {name} |"
            )
    return lines


def table(folders: Sequence[Path]) -> str:
    """Return the table of several bundles."""
    lines = [
        f"| bundle, algorithm | pairs, photographs | what is known | {' | '.join(CLASSIFIERS)} | the best statistic |",
        "| --- | ---: | --- | ---: | ---: | --- |",
    ]
    return "\n".join([*lines, *(line for folder in folders for line in rows(folder))])


def main() -> None:
    """Measure, and write the page where that is wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    parser.add_argument("--page", action="store_true", help="write docs/turing.md")
    options = parser.parse_args()
    found = table(options.bundles)
    if options.page:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), found, BEGIN, END), encoding="utf-8")
    print(found)


if __name__ == "__main__":
    main()
