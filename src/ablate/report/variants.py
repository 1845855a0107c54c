"""The names of variants: in order, and shortened by what they share."""

import re
from collections.abc import Sequence

from ablate.study.variant import BASELINE


def short_names(variants: Sequence[str]) -> tuple[dict[str, str], str]:
    """Shorten the names of variants by what all of them have in common.

    Args:
        variants: Names as in `depth=reduced,training.epochs=3`: differences from the defaults.

    Returns:
        The short name of each variant, `baseline` where nothing is left; and what they have in common.
    """
    parts = {variant: [] if variant == BASELINE else _parts(variant) for variant in variants}
    common = set.intersection(*(set(own) for own in parts.values())) if len(parts) > 1 else set()
    short = {
        variant: ",".join(part for part in own if part not in common) or BASELINE for variant, own in parts.items()
    }
    return short, ",".join(sorted(common))


def _parts(variant: str) -> list[str]:
    # A value may hold commas of its own, as in a list.
    return re.split(r",(?=[\w./@-]+=)", variant)


def in_order(variants: Sequence[str]) -> list[str]:
    """Order variants: the baseline, then those with one difference, then those with two, each by name."""
    return sorted(set(variants), key=lambda name: (name != BASELINE, len(_parts(name)), name))
