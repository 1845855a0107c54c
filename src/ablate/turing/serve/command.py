"""`python -m ablate.turing serve`: the pages in which people judge. It starts without TensorFlow and MLflow."""

import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from ablate.cli.arguments import parse_arguments, parse_int
from ablate.errors import ConfigError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, default_database
from ablate.turing.questions import check_questions
from ablate.turing.serve.app import MAX_BODY, create_app
from ablate.turing.serve.assignment import photographs_per_kind
from ablate.turing.serve.preview import open_previews
from ablate.turing.serve.recruiting import OPTIONS, Recruiting, parse_recruiting
from ablate.turing.serve.security import RateLimits, Signer
from ablate.turing.serve.sessions import open_sessions
from ablate.turing.serve.texts import load_texts
from ablate.turing.serve.web import Site
from ablate.web.server import run
from ablate.web.server import server as made_server

HELP = """\
Serve one or more bundles, each as an experiment of its own.

  python -m ablate.turing serve results/turing/NAME [results/turing/OTHER ...]

  host=127.0.0.1 port=8080           where; 0.0.0.0 is every network that this machine is in
  database=sqlite:///FILE            or postgresql://USER:PASSWORD@HOST/NAME (pip install 'ablate[postgres]')
  texts=FILE                         what participants read, reworded or translated: see docs/turing.md
  proxies=127.0.0.1                  addresses of reverse proxies whose word on the visitor's address is believed
  sessions_per_minute=60             new participants from one address
  requests_per_minute=600            requests of one participant
  participant_id=PROLIFIC_PID        who takes part has an id, in the address under this name, as in ?PROLIFIC_PID=ID;
                                     the same id continues, and takes part once
  invitations=true                   who takes part has one of the links that `invite` prints, each good for one
  completion=CODE|URL                the last page shows this code, or leads to this address ({id} stands for the id)
  screen_out=CODE|URL                who fails more checks than the rules allow leaves at once, alike, and is replaced
  finished_per_algorithm=N           when N of each have finished, or are under way, nobody else begins
  questions=FILE.yaml                own questions, before and after the pairs: see docs/turing.md
  device=record                      keeps the size of window and screen, pixel ratio, touch, refresh rate and browser
  min_window=1024x600                who has a smaller window is told so, begins nothing, and may try again; alike
                                     min_pixel_ratio=1 max_pixel_ratio=2 touch=false min_refresh_rate=50

Participants get http://HOST:PORT/e/NAME/; a longer address, which is printed, is a preview whose answers neither count
nor are kept; the experimenter's page is at /experimenter/, behind a token: that of the
environment's ABLATE_TURING_TOKEN, else a new one at every start, which is printed. The same command resumes
after a crash: every answer that was confirmed is in the database. How to put it on the internet safely:
docs/turing.md."""

TOKEN = "ABLATE_TURING_TOKEN"
_SHORTEST = 16
_DEFAULTS = {"host": "127.0.0.1", "database": "", "texts": "", "proxies": "127.0.0.1", **OPTIONS}
_NUMBERS = {"port": 8080, "sessions_per_minute": 60, "requests_per_minute": 600}
_WRONG_TOKENS_PER_MINUTE = 5


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
        arguments: Those behind `serve`.
    """
    folders = [Path(argument) for argument in arguments if "=" not in argument]
    if not folders:
        raise ConfigError("which bundle? As in `python -m ablate.turing serve results/turing/NAME`; `build` makes one")
    given = [argument for argument in arguments if "=" in argument]
    options = _DEFAULTS | parse_arguments(given, [*_DEFAULTS, *_NUMBERS])
    port = _number(options, "port")
    with tempfile.TemporaryDirectory(prefix="ablate-preview-") as previews:
        site = _site(options, _bundles(folders), Path(previews))
        _announce(site, options)
        run(server(site, host=options["host"], port=port, proxies=options["proxies"]))


def _site(options: dict[str, str], bundles: Sequence[Bundle], previews: Path) -> Site:
    """Return what is served, with each bundle registered as an experiment."""
    texts = load_texts(Path(options["texts"]) if options["texts"] else None)
    limits = RateLimits(
        sessions=_number(options, "sessions_per_minute"),
        requests=_number(options, "requests_per_minute"),
        tokens=_WRONG_TOKENS_PER_MINUTE,
    )
    recruiting = parse_recruiting(options)
    _check_screen_out(recruiting, bundles)
    if recruiting.questions is not None:
        check_questions(recruiting.questions, texts["language"], MAX_BODY)
    database = Database(options["database"] or default_database())
    try:
        experiments = {bundle.manifest.name: open_sessions(database, bundle, recruiting) for bundle in bundles}
        signer = Signer(database.secret())
    except SQLAlchemyError as error:
        raise database.unusable(error) from None
    tried = open_previews(bundles, recruiting, signer, previews)
    return Site(database, experiments, texts, signer, _token(), limits, tried)


def _check_screen_out(recruiting: Recruiting, bundles: Sequence[Bundle]) -> None:
    for protocol, name in ((bundle.manifest.protocol, bundle.manifest.name) for bundle in bundles):
        if recruiting.screen_out and protocol.checks <= protocol.rules.max_failed_checks:
            raise ConfigError(
                f"screen_out: nobody can fail the checks of {name}: it has {protocol.checks}, and its rules allow "
                f"{protocol.rules.max_failed_checks} to fail. Build it with more checks="
            )


def _announce(site: Site, options: dict[str, str]) -> None:
    base = f"http://{options['host']}:{_number(options, 'port')}"
    for name, sessions in site.experiments.items():
        print(f"For participants:  {base}/e/{name}/{sessions.recruiting.address_part}")
    for name in site.previews:
        print(f"To try it:         {base}/e/{name}/   answers neither count nor are kept")
    print(f"For you:           {base}/experimenter/   token: {_shown(site.token)}")
    print(f"Answers are kept in {site.database.name}. Ctrl-C ends the server.", flush=True)


def server(site: Site, *, host: str, port: int, proxies: str) -> uvicorn.Server:
    """Return a server, not yet started.

    Args:
        site: What it serves.
        host: Address to listen at.
        port: Alike.
        proxies: Addresses of reverse proxies that are believed, separated by commas.
    """
    return made_server(create_app(site), host=host, port=port, proxies=proxies)


def _bundles(folders: Sequence[Path]) -> list[Bundle]:
    bundles = list[Bundle]()
    for folder in folders:
        bundle = Bundle(folder)
        if bundle.manifest.name in {other.manifest.name for other in bundles}:
            raise ConfigError(
                f"two bundles have the name {bundle.manifest.name}: build one of them with another name="
            )
        photographs_per_kind(bundle.manifest)  # before anybody comes
        bundle.verify()
        bundles.append(bundle)
    return bundles


def _token() -> str:
    token = os.environ.get(TOKEN)
    if token is None:
        return secrets.token_urlsafe(24)
    if len(token) < _SHORTEST:
        raise ConfigError(f"{TOKEN} must have at least {_SHORTEST} characters: it is all that guards the answers")
    return token


def _shown(token: str) -> str:
    return f"that of {TOKEN}" if TOKEN in os.environ else token


def _number(options: dict[str, str], name: str) -> int:
    return parse_int(options, name, _NUMBERS[name], minimum=1, maximum=65535 if name == "port" else None)
