"""A server of pages: started, and ended with Ctrl-C."""

from collections.abc import Callable, Mapping
from importlib.resources import files

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp

from ablate.errors import AblateError
from ablate.web.connections import BoundedProtocol


def server(app: ASGIApp, *, host: str, port: int, proxies: str) -> uvicorn.Server:
    """Return a server, not yet started.

    Args:
        app: What it serves.
        host: Address to listen at.
        port: Alike.
        proxies: Addresses of reverse proxies that are believed, separated by commas.
    """
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        host=host,
        port=port,
        # Its log would hold addresses of visitors.
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def run(made: uvicorn.Server) -> None:
    """Serve until a signal comes.

    Raises:
        AblateError: The address cannot be had.
    """
    try:
        made.run()
    except SystemExit:
        at = f"{made.config.host}:{made.config.port}"
        raise AblateError(f"{at} cannot be served at: choose another port=, or another host=") from None


def static_files(package: str, kinds: Mapping[str, str]) -> dict[str, tuple[str, bytes]]:
    """Return files of a package's folder `static`, by name: of each its media type and content."""
    return {name: (kind, (files(package) / "static" / name).read_bytes()) for name, kind in kinds.items()}


def static_response(kind: str, content: bytes) -> Callable[[], Response]:
    """Return what answers with a file that does not change."""

    def send() -> Response:
        return Response(content, media_type=kind, headers={"Cache-Control": "max-age=300"})

    return send


BASE = static_files("ablate.web", {"base.css": "text/css"})
"""The look that all pages share."""
