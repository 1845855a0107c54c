"""Recruiting: how participants come, with which devices, what they are asked, and how they are sent back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ablate.cli.arguments import parse_bool, parse_int
from ablate.errors import ConfigError
from ablate.turing.export.own_columns import TAKEN
from ablate.turing.questions import Questions, load_questions
from ablate.turing.serve.gates import NO_GATES, Gates, parse_gates
from ablate.turing.serve.gates import OPTIONS as GATES

OPTIONS: Mapping[str, str] = {
    "participant_id": "", "invitations": "false", "completion": "", "screen_out": "", "finished_per_algorithm": "",
    "questions": "", **GATES,
}  # fmt: skip
"""Of `serve`, with their defaults."""
INVITATION = "invitation"
"""Name of the part of the address that holds an invitation."""
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,49}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?#][!-\[\]-~]*)?")
_PLACE = "{id}"


@dataclass(frozen=True)
class Exit:
    """How a participant leaves: with a code to copy, or to an address.

    Attributes:
        code: The code; None where there is an address.
        address: The address, in which `{id}` stands for the participant's id; None where there is a code. It is the
            experimenter's alone: nothing that a browser sends changes its host.
    """

    code: str | None = None
    address: str | None = None

    def to(self, external_id: str | None) -> str | None:
        """Return the address for a participant; None where there is none."""
        return None if self.address is None else self.address.replace(_PLACE, quote(external_id or "", safe=""))


@dataclass(frozen=True)
class Recruiting:
    """What the experimenter has set.

    Attributes:
        id_parameter: Name of the part of the address that holds a participant's id; None where there are no ids.
        completion: How those leave who have finished; None where nothing is said.
        screen_out: How those leave, at once, who failed more checks than the rules allow; None where they
            continue, and are left out later.
        finished_per_algorithm: How many are to finish of each algorithm, and no more; None for any number.
        invited: Whether only ids take part that were made here, as invitations.
        questions: Own questions before and after the trials; None for none.
        gates: What is asked of a device, and whether it is recorded.
    """

    id_parameter: str | None = None
    completion: Exit | None = None
    screen_out: Exit | None = None
    finished_per_algorithm: int | None = None
    invited: bool = False
    questions: Questions | None = None
    gates: Gates = NO_GATES

    @property
    def address_part(self) -> str:
        """What participants need beside the address."""
        if self.invited:
            return "   by the links that `python -m ablate.turing invite count=N` prints"
        return "" if self.id_parameter is None else f"?{self.id_parameter}=ID"


ANYBODY = Recruiting()
"""Who has the address takes part, and is sent nowhere afterwards."""


def is_id(value: str) -> bool:
    """Return whether a participant's id can be one: it comes from an address, which anybody can write."""
    return _ID.fullmatch(value) is not None


def parse_recruiting(options: Mapping[str, str]) -> Recruiting:
    """Return the settings.

    Args:
        options: Those of `OPTIONS`; empty where nothing is set.

    Raises:
        ConfigError: One is impossible.
    """
    parameter = options["participant_id"] or None
    if parameter is not None and not _PARAMETER.fullmatch(parameter):
        raise ConfigError(
            "participant_id must be the name of a part of the address, such as PROLIFIC_PID. "
            f"Received: participant_id={parameter}"
        )
    invited = parse_bool(options, "invitations", False)
    if invited and parameter is not None:
        raise ConfigError("participant_id and invitations=true are two ways to come: leave one of them out")
    parameter = INVITATION if invited else parameter
    wanted = options["finished_per_algorithm"]
    return Recruiting(
        id_parameter=parameter,
        completion=_exit(options, "completion", parameter),
        screen_out=_exit(options, "screen_out", parameter),
        finished_per_algorithm=parse_int(options, "finished_per_algorithm", 1, minimum=1) if wanted else None,
        invited=invited,
        questions=load_questions(Path(options["questions"]), TAKEN) if options["questions"] else None,
        gates=parse_gates(options),
    )


def _exit(options: Mapping[str, str], name: str, parameter: str | None) -> Exit | None:
    value = options[name]
    if not value:
        return None
    if _CODE.fullmatch(value):
        return Exit(code=value)
    rest = value.replace(_PLACE, "")
    if not _ADDRESS.fullmatch(value) or re.search("[{}]", rest):
        raise ConfigError(
            f"{name} must be a code of letters, digits, - and _, or an address such as https://HOST/PATH?cc=CODE, in "
            f"which {_PLACE} may stand behind the host for the participant's id. Received: {name}={value}"
        )
    if rest != value and parameter is None:
        raise ConfigError(f"{name} has {_PLACE}, but no ids come: set participant_id=NAME, such as PROLIFIC_PID")
    return Exit(address=value)
