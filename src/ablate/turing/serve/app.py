"""The web application: pages for participants and for the experimenter. No TensorFlow, no MLflow."""

import logging

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import RedirectResponse, Response

from ablate.errors import AblateError
from ablate.turing.serve import experimenter, last_page, questionnaire, trials, welcome
from ablate.turing.serve.arrival import first_page
from ablate.turing.serve.texts import fill
from ablate.turing.serve.web import STATIC, Site, render_page
from ablate.web.guard import Guard
from ablate.web.server import static_response

log = logging.getLogger(__name__)

MAX_BODY = 16_384
"""Bytes: no form of these pages has more; a comment of a thousand letters can have twelve for each."""
_SAID = {403: "forbidden", 409: "forbidden", 422: "invalid", 429: "too_many"}


def create_app(site: Site) -> FastAPI:
    """Return the application.

    Args:
        site: What it serves.
    """
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.site = site
    app.include_router(welcome.router)
    app.include_router(trials.router)
    app.include_router(last_page.router)
    app.include_router(questionnaire.router)
    app.include_router(experimenter.router)
    for name, (kind, content) in STATIC.items():
        app.add_api_route(f"/{name}", static_response(kind, content))

    @app.get("/")
    def start(request: Request) -> Response:
        """Lead to the only experiment, or nowhere: who takes part was given a link."""
        if len(site.experiments) == 1:
            return RedirectResponse(f"e/{next(iter(site.experiments))}/{_query(request)}", 303)
        raise HTTPException(404)

    @app.get("/e/{experiment}")
    def without_slash(experiment: str, request: Request) -> Response:
        """Go to where relative links work."""
        if site.find(experiment) is None:
            raise HTTPException(404)
        return RedirectResponse(f"{experiment}/{_query(request)}", 307)

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, error: StarletteHTTPException) -> Response:
        if error.status_code == 401:
            return RedirectResponse("../" * (_depth(request) - 1) + "login", 303)
        return _message(site, request, error.status_code)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        # An address whose parts are impossible is no address.
        in_path = any(problem["loc"][0] == "path" for problem in error.errors())
        return _message(site, request, 404 if in_path else 422)

    @app.exception_handler(AblateError)
    @app.exception_handler(SQLAlchemyError)
    def failed(request: Request, error: Exception) -> Response:
        # Nothing has been confirmed; the page tries again until the disk has room or the database is back.
        log.error("%s: %s", type(error).__name__, str(error).splitlines()[0])
        return _message(site, request, 500)

    app.add_middleware(Guard, max_body=MAX_BODY)
    return app


def _query(request: Request) -> str:
    """Return what follows the path of an address: it may have a participant's id."""
    return f"?{request.url.query}" if request.url.query else ""


def _depth(request: Request) -> int:
    """Return how many folders below the server's root an address is."""
    path = str(request.scope["path"]).removeprefix(request.scope.get("root_path", ""))
    return max(path.count("/") - 1, 0)


def _message(site: Site, request: Request, status: int) -> Response:
    texts = fill(site.texts)["error"]
    parts, depth = request.scope["path"].strip("/").split("/"), _depth(request)
    sessions = site.find(parts[1]) if parts[0] == "e" and depth > 1 else None
    return render_page(
        site,
        "message",
        sessions=sessions,
        depth=depth,
        status=status,
        heading=texts["heading"],
        lines=[texts[_SAID.get(status, "failed" if status >= 500 else "not_found")]],
        back=None if sessions is None else "../" * (depth - 2) + first_page(request, sessions),
    )
