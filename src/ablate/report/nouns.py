"""Nouns: what a task calls an example, in the plural, with its article, at the beginning of a sentence."""

import re

EXAMPLE = "example"
"""What an example is called where a run does not say."""
_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women", "mouse": "mice",
              "datum": "data", "series": "series", "species": "species"}  # fmt: skip


def plural(noun: str) -> str:
    """Return the plural of an English noun, of several words that of the last.

    Example:
        >>> plural("query"), plural("test batch"), plural("day")
        ('queries', 'test batches', 'days')
    """
    last = re.split(r"\W", noun)[-1]
    before = noun.removesuffix(last)
    if last.lower() in _IRREGULAR:
        return before + _IRREGULAR[last.lower()]
    if re.search(r"[^aeiou]y$", last):
        return f"{noun[:-1]}ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)$", last) else "s")


def with_article(noun: str) -> str:
    """Return a noun after `a` or `an`, by its first letter."""
    return f"{'an' if noun.lower().startswith(tuple('aeiou')) else 'a'} {noun}"


def capitalized(text: str) -> str:
    """Return a text with a capital letter at its beginning; the others stay."""
    return text[:1].upper() + text[1:]
