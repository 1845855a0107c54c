"""`python -m ablate.turing invite`: links to hand out, each good for one participant."""

import re

from ablate.cli.arguments import parse_arguments, parse_int
from ablate.errors import ConfigError
from ablate.turing.analyse.plan import chosen_answers
from ablate.turing.database import Database, default_database
from ablate.turing.serve.recruiting import INVITATION
from ablate.turing.serve.security import Signer

HELP = """\
Print links to an experiment, each good for one participant: whoever opens it again continues.

  python -m ablate.turing invite count=50                       of the experiment in results/turing.db
  python -m ablate.turing invite count=50 experiment=NAME       of several, this one
  python -m ablate.turing invite count=50 database=URL          in another database, that of `serve`
  python -m ablate.turing invite count=50 address=https://HOST  where it is served; http://127.0.0.1:8080 if not said

`serve` has to be told to let in nobody else: invitations=true. Links are signed with the database's secret and kept
nowhere: every call prints new ones, and the old ones stay good."""

ARGUMENTS = ("count", "experiment", "database", "address")
_MOST = 100_000
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(?:/[A-Za-z0-9._~/%-]*)?")


def main(arguments: list[str]) -> None:
    """Run the command.

    Args:
        arguments: `NAME=VALUE` each.

    Raises:
        AblateError: Something is wrong with them, or with the database.
    """
    given = parse_arguments(arguments, ARGUMENTS)
    if "count" not in given:
        raise ConfigError("how many links? As in count=50")
    count = parse_int(given, "count", 1, minimum=1, maximum=_MOST)
    experiment = chosen_answers(given).experiment
    signer = Signer(Database(given.get("database") or default_database(), create=False).secret())
    base = _base(given.get("address", "http://127.0.0.1:8080"), experiment)
    for _ in range(count):
        print(f"{base}/e/{experiment}/?{INVITATION}={signer.new_invitation(experiment)}")


def _base(address: str, experiment: str) -> str:
    """Return what stands before `/e/NAME/` in a link; an address that has this already is taken, too."""
    if not _ADDRESS.fullmatch(address):
        raise ConfigError(f"address must be where it is served, as in https://HOST. Received: address={address}")
    return address.rstrip("/").removesuffix(f"/e/{experiment}")
