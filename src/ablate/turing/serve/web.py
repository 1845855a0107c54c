"""Shared by all pages: the experiments that are served, templates, cookies, and the client's address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from ablate.report.escaping import breakable
from ablate.turing.database import Database
from ablate.turing.serve.security import RateLimits, Signer
from ablate.turing.serve.sessions import Sessions
from ablate.turing.serve.texts import NO_NUMBERS, direction, fill, texts_of_design
from ablate.web.server import BASE, static_files


@dataclass(frozen=True)
class Site:
    """What is served.

    Attributes:
        database: Where answers are kept.
        experiments: The sessions of each experiment, by its name.
        texts: What participants read.
        signer: Signs cookies and forms.
        token: The experimenter's.
        limits: How often what may happen.
        previews: The experiments to try, by their names in the address.
    """

    database: Database
    experiments: Mapping[str, Sessions]
    texts: Mapping[str, Any]
    signer: Signer
    token: str
    limits: RateLimits
    previews: Mapping[str, Sessions] = field(default_factory=dict)

    def find(self, name: str) -> Sessions | None:
        """Return the experiment, or the preview, that an address names; None where there is none."""
        return self.experiments.get(name) or self.previews.get(name)


_templates = Environment(
    loader=PackageLoader("ablate.turing.serve", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {"direction": direction, "breakable": breakable}
STATIC = BASE | static_files(
    "ablate.turing.serve",
    {
        "style.css": "text/css",
        **dict.fromkeys(("welcome.js", "trial.js", "experiment.js", "device.js"), "text/javascript"),
    },
)


def render_page(
    site: Site,
    name: str,
    *,
    depth: int,
    status: int = 200,
    numbers: Mapping[str, object] = NO_NUMBERS,
    sessions: Sessions | None = None,
    **values: Any,
) -> HTMLResponse:
    """Render a template.

    Args:
        site: What is served.
        name: The template's, without its ending.
        depth: How many folders below the server's root the page's address is. Links are relative, so that it works
            behind a proxy under any path without being told.
        status: Of the answer.
        numbers: What stands in the texts for {trials} and the like, see `texts.fill`.
        sessions: Of the experiment that the page belongs to: its design has words of its own, and a preview says that
            it is one.
        values: What the template shows beside the texts `t`.
    """
    template = _templates.get_template(f"{name}.html.j2")
    texts = site.texts if sessions is None else texts_of_design(site.texts, sessions.protocol.design)
    preview = sessions is not None and sessions.preview
    shared = {"t": fill(texts, numbers), "base": "../" * depth or "./", "preview": preview}
    return HTMLResponse(template.render(**shared, **values), status)


def site_of(request: Request) -> Site:
    """Return what is served."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site


def experiment_of(request: Request, experiment: str) -> Sessions:
    """Return the experiment, or the preview, that an address names."""
    found = site_of(request).find(experiment)
    if found is None:
        raise HTTPException(404)
    return found


def served_experiment_of(request: Request, experiment: str) -> Sessions:
    """Return the experiment that an address names; a preview is none."""
    found = site_of(request).experiments.get(experiment)
    if found is None:
        raise HTTPException(404)
    return found


def client_address(request: Request) -> str:
    """Return whom limits count by; it is not kept."""
    return request.client.host if request.client else "unknown"


def set_signed_cookie(
    request: Request,
    response: Response,
    name: str,
    value: str,
    *,
    seconds: int,
    purpose: str | None = None,
    strict: bool = False,
) -> None:
    """Set a signed cookie, which no script reads; a browser that came by HTTPS sends it by HTTPS alone.

    Without a path of its own, a cookie holds for the folder of the page that set it, wherever a proxy has that.

    Args:
        request: What is answered.
        response: The answer.
        name: Of the cookie.
        value: What it holds.
        seconds: For how long it is kept.
        purpose: For which alone the signature is good; the cookie's name where it is not given.
        strict: Whether it is not even sent along when a link leads here.
    """
    response.set_cookie(
        name,
        site_of(request).signer.sign(purpose or name, value),
        max_age=seconds,
        path=None,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict" if strict else "lax",
    )


CurrentSite = Annotated[Site, Depends(site_of)]
CurrentSessions = Annotated[Sessions, Depends(experiment_of)]
ServedSessions = Annotated[Sessions, Depends(served_experiment_of)]
