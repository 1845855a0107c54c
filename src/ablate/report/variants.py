"""Order and short names of variants."""

from collections.abc import Sequence

from ablate.config.short_names import shorten
from ablate.config.variant import BASELINE, Variant


def short_names(variants: Sequence[str]) -> tuple[dict[str, str], str]:
    """Shorten the names of variants by what all of them have in common.

    Args:
        variants: Names as in `depth=reduced,training.epochs=3`: differences from the defaults.

    Returns:
        The short name of each variant, `baseline` where nothing is left; and what they have in common. Both can still
        be long, see `shown_names`.
    """
    parts = {variant: Variant.parse(variant).differences for variant in variants}
    common = set.intersection(*(set(own) for own in parts.values())) if len(parts) > 1 else set()
    short = {
        variant: ",".join(part for part in own if part not in common) or BASELINE for variant, own in parts.items()
    }
    return short, ",".join(sorted(common))


def shown_names(variants: Sequence[str]) -> tuple[dict[str, str], str]:
    """Return what a report calls variants: by `short_names`, long ones further shortened; and what they share."""
    short, common = short_names(variants)
    shown = {variant: shorten(name) for variant, name in short.items()}
    # Hashes of a few digits may be equal by chance.
    return (shown if len(set(shown.values())) == len(set(short.values())) else short), common


def in_order(variants: Sequence[str]) -> list[str]:
    """Order variants: the baseline, then those with one difference, then those with two, each by name."""
    return sorted(set(variants), key=lambda name: (name != BASELINE, len(Variant.parse(name).differences), name))
