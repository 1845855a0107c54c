"""What `python -m ablate.turing build` says of what it made, or could not make. No TensorFlow."""

import math
from collections import Counter
from collections.abc import Sequence

from tqdm import tqdm

from ablate.turing.bundle import Manifest
from ablate.turing.pictures import Written
from ablate.turing.protocol import Protocol
from ablate.turing.request import Request
from ablate.turing.squares import Gathered, LeftOut

_SHOWN = 5
"""Photographs of a kind that are named."""


def too_few(gathered: Gathered, protocol: Protocol, asked: Request) -> str:
    """Say that there are not enough squares for one participant, and what would work."""
    there, needed = len(gathered.squares), protocol.photographs
    parts = {key: getattr(protocol, key) for key in ("practice", "test", "checks")}
    said = [
        f"{there} squares of {gathered.photographs} photographs can be used, and one participant sees {needed} "
        f"({' + '.join(f'{key}={value}' for key, value in parts.items())}), each once."
    ]
    if gathered.left_out:
        said.append(f"Left out: {'; '.join(_left_out(gathered.left_out))}.")
    if there == 0:
        return " ".join(said)
    ways = []
    if gathered.photographs == asked.photographs:
        ways.append(f"photographs={math.ceil(needed / asked.crops)} or more, if there are so many")
    crops = math.ceil(needed / gathered.photographs)
    if crops <= 100:
        ways.append(f"crops={crops} cuts so many squares of each photograph")
    practice, checks = there * protocol.practice // needed, there * protocol.checks // needed
    test = min(protocol.test, there - practice - checks)
    ways.append(f"practice={practice} test={test} checks={checks} lets each participant see fewer")
    return " ".join([*said, f"Set one of: {'; '.join(ways)}."])


def said(
    manifest: Manifest, asked: Request, gathered: Gathered, written: Written, stored_side: int | None
) -> list[str]:
    """Return what was built, in lines."""
    side, count = manifest.side, len(manifest.stimuli)
    lines = [
        f"{count:,} squares of {gathered.photographs:,} photographs, {side}x{side}: real, as an obvious fake, and "
        "recoloured by"
    ]
    for algorithm in manifest.algorithms:
        source = (
            f"run {algorithm.run_id}, seed {algorithm.seed}" if algorithm.run_id else asked.outside[algorithm.name]
        )
        lines.append(f"  {algorithm.name} ({source})")
    enlarged = sum(square.enlarged for square in gathered.squares)
    if stored_side is not None and enlarged:
        lines.append(
            f"The prepared data set keeps squares of {stored_side}x{stored_side}: all pictures are enlarged, "
            "real and recoloured alike. data=folder data.root=DIR takes the photographs that it was made from"
        )
    elif enlarged:
        lines.append(f"{enlarged:,} squares have fewer pixels in their photograph: real and recoloured alike enlarged")
    if gathered.photographs < asked.photographs:
        lines.append(f"photographs={asked.photographs} were asked for: there are no more that can be used")
    lines += [f"Left out: {line}" for line in _left_out(gathered.left_out)]
    size = written.bytes * len(written.files)
    lines.append(
        f"{len(written.files):,} pictures of {written.bytes:,} bytes each, {tqdm.format_sizeof(size)}B in all"
    )
    return lines


def _left_out(left_out: Sequence[LeftOut]) -> list[str]:
    """Return how many photographs were left out for each reason, and the first of them."""
    lines = []
    for reason, number in Counter(one.why.reason for one in left_out).items():
        named = [one for one in left_out if one.why.reason == reason]
        first = ", ".join(one.name + str(one.why).removeprefix(reason) for one in named[:_SHOWN])
        more = f" and {number - _SHOWN:,} more" if number > _SHOWN else ""
        lines.append(f"{number:,} ({reason}): {first}{more}")
    return lines
