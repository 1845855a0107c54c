"""The numbers that stand in what participants read: how many pairs, how long, how many megabytes."""

import math

from ablate.turing.serve.sessions import Sessions

_ANSWER_SECONDS = 6
"""Time of a pair beside its exposure: loading, thinking, answering; to say how long it will be."""
_IN_JSON = 4 / 3
"""Bytes of a picture as it is sent, in base64, to one of its pixels' values; the feedback has the file itself."""


def text_numbers(sessions: Sessions, number: int | None = None) -> dict[str, object]:
    """Return what stands in the texts for {trials} and the like, in those of a trial if it has a number."""
    manifest, own = sessions.bundle.manifest, sessions.recruiting.questions
    protocol = manifest.protocol
    sent = protocol.photographs * _IN_JSON + protocol.practice * protocol.has_fakes
    numbers = {
        "practice": protocol.practice,
        "test": protocol.test,
        "trials": protocol.test + protocol.checks,
        "seconds": f"{protocol.exposure_ms / 1000:g}",
        "minutes": math.ceil(protocol.photographs * (protocol.exposure_ms / 1000 + _ANSWER_SECONDS) / 60),
        "megabytes": math.ceil(sent * (1 if protocol.is_rating else 2) * 3 * manifest.side**2 / 1e6),
        "points": protocol.points,
        "questions": len(own.all) if own else 0,
        **sessions.recruiting.gates.numbers,
    }
    return numbers if number is None else {**numbers, "number": number, "trials": protocol.photographs}
