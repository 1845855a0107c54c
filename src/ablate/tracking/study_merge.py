"""Merge of what two stores have of one study: definition, registration, stamps and tuning."""

from collections.abc import Mapping

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.study import in_pieces, join_pieces

_OF_DEFINITION = (names.DEFINITION_TAG, names.ALIASES_TAG, names.QUESTION_TAG)


def merged_tags(study: str, there: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that the experiment of a study gets beside, or in place of, those that it has.

    The newer of two definitions is kept, where one was made by editing the other; of two registrations the earlier.

    Args:
        study: Its name.
        there: The tags that it has.
        given: Those of its other copy.

    Raises:
        TrackingError: The two are different studies.
    """
    added = {name: value for name, value in given.items() if name not in there}
    own, other = (join_pieces(tags, names.DEFINITION_TAG) for tags in (there, given))
    if not own or not other or own == other:
        stamps = {} if not own or not other else _stamps(there, given)
        return {**added, **_registration(there, given), **stamps}
    newer = _newer(study, there, given)
    pieces = {name: value for tag in _OF_DEFINITION for name, value in _pieces(given, tag).items()} if newer else {}
    return {**added, **pieces, **_registration(there, given), **_stamps(there, given, newest_given=newer)}


def _pieces(tags: Mapping[str, str], tag: str) -> dict[str, str]:
    if tag == names.QUESTION_TAG:
        return {tag: tags[tag]} if tag in tags else {}
    return in_pieces(tag, join_pieces(tags, tag))


def _newer(study: str, there: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Return whether the given definition came after the one that is there."""
    own, other = _lines(there), _lines(given)
    if own and _stamp(own[-1]) in map(_stamp, other):
        return True
    if other and _stamp(other[-1]) in map(_stamp, own):
        return False
    raise TrackingError(
        f"the store has another study {study}: its definition has the stamp {_shown(own)}, and the one that comes "
        f"{_shown(other)}; neither was made by editing the other. uri= names another store; "
        "parts of one study are trained as docs/archive.md says"
    )


def _registration(there: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    at, own = given.get(names.REGISTERED_AT_TAG, ""), there.get(names.REGISTERED_AT_TAG, "")
    if not at or (own and own <= at):
        return {}
    text = join_pieces(given, names.REGISTERED_TAG)
    return {**in_pieces(names.REGISTERED_TAG, text), names.REGISTERED_AT_TAG: at}


def _stamps(there: Mapping[str, str], given: Mapping[str, str], *, newest_given: bool = False) -> dict[str, str]:
    """Return the stamps of both, each with its first date, that of the newest definition last."""
    own, other = _lines(there), _lines(given)
    if not other or (set(other) <= set(own) and not newest_given):
        return {}
    dated = dict[str, str]()
    for line in sorted({*own, *other}):
        dated.setdefault(_stamp(line), line)
    newest = dated.pop(_stamp((other if newest_given or not own else own)[-1]))
    return {names.STAMPS_TAG: "\n".join([*dated.values(), newest])}


def _lines(tags: Mapping[str, str]) -> list[str]:
    return tags.get(names.STAMPS_TAG, "").splitlines()


def _stamp(line: str) -> str:
    return line.rpartition(" ")[2]


def _shown(lines: list[str]) -> str:
    return _stamp(lines[-1]) if lines else "none"
