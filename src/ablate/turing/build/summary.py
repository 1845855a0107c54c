"""The messages of `python -m ablate.turing build` on what it made, or could not make. No TensorFlow."""

import math
from collections import Counter
from collections.abc import Sequence

from tqdm import tqdm

from ablate.report.number_format import quantity
from ablate.turing.analyse.photograph_warning import photograph_warning
from ablate.turing.analyse.power import assumed_components
from ablate.turing.build.collect import CollectedCrops, LeftOut
from ablate.turing.build.options import MOST_CROPS, BuildOptions
from ablate.turing.build.picture_files import WrittenPictures
from ablate.turing.bundle import Manifest
from ablate.turing.protocol import Protocol

_TRIALS = ("practice", "test", "checks")
_DESIGNS = {
    "within": "Each participant judges {} beside the real pictures",
    "preference": "Each participant compares pictures of {} with each other",
    "rating": "Each participant rates pictures of {}, one at a time",
}
_SHOWN = 5
"""Photographs of a kind that are named."""


def too_few_photographs(collected: CollectedCrops, protocol: Protocol, options: BuildOptions) -> str:
    """Say that there are not enough photographs for one participant, and what would work."""
    there, needed = len(collected.crops), protocol.photographs
    parts = {key: getattr(protocol, key) for key in _TRIALS}
    photographs = sum(math.ceil(trials / options.crops) for trials in parts.values())
    sentences = [
        f"{quantity(there, 'crop')} of {quantity(collected.photographs, 'photograph')} can be used, and one "
        f"participant sees {needed} "
        f"({' + '.join(f'{key}={value}' for key, value in parts.items())}), each once, and no photograph in two of "
        f"these: that takes at least {quantity(photographs, 'photograph')} with crops={options.crops}."
    ]
    if collected.left_out:
        sentences.append(f"Left out: {'; '.join(_left_out(collected.left_out))}.")
    if there == 0:
        return " ".join(sentences)
    ways = []
    if collected.photographs == options.photographs:
        ways.append(f"photographs={max(photographs, options.photographs + 1)} or more, if there are so many")
    for crops in range(options.crops + 1, MOST_CROPS + 1):
        if protocol.shares([crops] * collected.photographs):
            ways.append(f"crops={crops} cuts so many crops of each photograph")
            break
    if fewer := _fewer(collected, protocol):
        ways.append(f"{' '.join(f'{key}={getattr(fewer, key)}' for key in _TRIALS)} lets each participant see fewer")
    return " ".join([*sentences, f"Set one of: {'; '.join(ways)}."])


def _fewer(collected: CollectedCrops, protocol: Protocol) -> Protocol | None:
    """Return the longest protocol with the same parts, about, that there are enough photographs for."""
    needed = protocol.photographs
    for total in range(min(len(collected.crops), needed - 1), 0, -1):
        practice, checks = total * protocol.practice // needed, total * protocol.checks // needed
        test = min(protocol.test, total - practice - checks)
        fewer = protocol.model_copy(update={"practice": practice, "test": test, "checks": checks})
        if fewer.shares(collected.counts):
            return fewer
    return None


def build_summary(
    manifest: Manifest,
    options: BuildOptions,
    collected: CollectedCrops,
    written: WrittenPictures,
    stored_side: int | None,
) -> list[str]:
    """Return what was built, in lines."""
    side, count = manifest.side, len(manifest.stimuli)
    lines = [
        f"{count:,} crops of {collected.photographs:,} photographs, {side}x{side}: real, as an obvious fake, and "
        "recoloured by"
    ]
    for algorithm in manifest.algorithms:
        source = (
            f"run {algorithm.run_id}, seed {algorithm.seed}" if algorithm.run_id else options.external[algorithm.name]
        )
        lines.append(f"  {algorithm.name} ({source})")
    enlarged = sum(crop.enlarged for crop in collected.crops)
    if stored_side is not None and enlarged:
        lines.append(
            f"The prepared data set keeps crops of {stored_side}x{stored_side}: all pictures are enlarged, "
            "real and recoloured alike. data=folder data.root=DIR takes the photographs that it was made from"
        )
    elif enlarged:
        lines.append(f"{enlarged:,} crops have fewer pixels in their photograph: real and recoloured alike enlarged")
    if collected.photographs < options.photographs:
        lines.append(f"photographs={options.photographs} were asked for: there are no more that can be used")
    lines += [f"Left out: {line}" for line in _left_out(collected.left_out)]
    size = written.bytes * len(written.files)
    lines.append(
        f"{len(written.files):,} pictures of {written.bytes:,} bytes each, {tqdm.format_sizeof(size)}B in all"
    )
    if manifest.protocol.design != "between":
        lines.append(_DESIGNS[manifest.protocol.design].format(", ".join(manifest.compared)))
    warning = photograph_warning(
        collected.photographs,
        assumed_components(manifest.protocol.design),
        design=manifest.protocol.design,
        points=manifest.protocol.points,
        algorithms=len(manifest.compared),
        source="assumed before a pilot",
    )
    return lines if warning is None else [*lines, f"Warning: {warning}"]


def _left_out(left_out: Sequence[LeftOut]) -> list[str]:
    """Return how many photographs were left out for each reason, and the first of them."""
    lines = []
    for reason, number in Counter(one.why.reason for one in left_out).items():
        named = [one for one in left_out if one.why.reason == reason]
        first = ", ".join(one.name + str(one.why).removeprefix(reason) for one in named[:_SHOWN])
        more = f" and {number - _SHOWN:,} more" if number > _SHOWN else ""
        lines.append(f"{number:,} ({reason}): {first}{more}")
    return lines
