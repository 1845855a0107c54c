"""The web application: a page that takes a photograph and shows it coloured. Nothing is written anywhere."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from fastapi import FastAPI, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import HTMLResponse, Response

from ablate.colorization.data.file_names import printable
from ablate.colorize.colorizer import Colorizer
from ablate.colorize.engine import Engine
from ablate.colorize.photograph import Photograph, measure_sent
from ablate.colorize.save import encode_photograph
from ablate.colorize.shown import grey_picture, picture
from ablate.errors import DataError
from ablate.web.guard import Guard
from ablate.web.server import BASE, static_files, static_response

log = logging.getLogger(__name__)

MAX_MIB = 25
_AT_A_TIME = 4
"""Photographs that are read and answered at a time; the others wait where they come from."""
_SHOWN = 1280
"""Longest side of what the page shows, in pixels; the file to take away has its own size."""
_ENVELOPE = 4096
"""Bytes of a form around its file."""
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff"}
_STATIC = BASE | static_files("ablate.colorize.serve", {"colorize.css": "text/css", "colorize.js": "text/javascript"})
_OWN = ("same-origin", "none")
"""Where a form is sent from, as browsers say: other sites must not keep this machine busy."""
_SAID = {
    403: "This page takes photographs from its own form alone.",
    404: "There is no such page.",
    405: "This page takes photographs from its form.",
}
_templates = Environment(
    loader=PackageLoader("ablate.colorize.serve", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Shown:
    """A photograph in the colours of one network.

    Attributes:
        name: The network's.
        address: The picture that the page shows, as a data address.
        file: The coloured file, as one.
        file_name: What it is saved as.
    """

    name: str
    address: str
    file: str
    file_name: str


class _InMemory(MultiPartParser):
    """Keeps an uploaded file in memory, where others write a large one to the disk."""

    spool_max_size = 2**31


def create_app(engine: Engine, *, max_mib: int = MAX_MIB) -> FastAPI:
    """Return the application.

    Args:
        engine: What colours.
        max_mib: Of the largest file.
    """
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    for name, (kind, content) in _STATIC.items():
        app.add_api_route(f"/{name}", static_response(kind, content))

    def page(status: int = 200, **values: Any) -> HTMLResponse:
        given = {"error": None, "photograph": None, "max_mib": max_mib, "networks": len(engine.colorizers), **values}
        return HTMLResponse(_templates.get_template("colorize.html.j2").render(given), status)

    @app.get("/")
    def start() -> Response:
        """Show the form."""
        return page()

    @app.post("/")
    async def color(request: Request) -> Response:
        """Colour the photograph of the form, and show it."""
        if request.headers.get("sec-fetch-site", "none") not in _OWN:
            return page(403, error=_SAID[403])
        try:
            name, content = await _upload(request)
            return page(photograph=await run_in_threadpool(_colored, engine, name, content))
        except DataError as error:
            return page(422, error=str(error))
        except MemoryError:
            return page(503, error="there is not enough memory for this photograph now")

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        return page(error.status_code, error=_SAID.get(error.status_code, "That did not work."))

    largest = max_mib * 2**20 + _ENVELOPE
    said = f"The file is larger than {max_mib} MiB."
    app.add_middleware(Guard, max_body=largest, bodies=_AT_A_TIME, too_large=said)
    return app


async def _upload(request: Request) -> tuple[str, bytes]:
    """Return the name and the content of the file in a form.

    Raises:
        DataError: There is none.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise DataError("no photograph was sent")
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=1).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise DataError("the form cannot be read") from error
    try:
        file = form.get("photograph")
        if not isinstance(file, UploadFile):
            raise DataError("no photograph was sent")
        content = await file.read()
    finally:
        await form.close()
    if not content:
        raise DataError("choose a photograph first")
    return printable(PurePath((file.filename or "photograph").replace("\\", "/")).name)[-100:], content


def _colored(engine: Engine, name: str, content: bytes) -> Mapping[str, Any]:
    with engine.holding(measure_sent(content)):
        photograph = engine.read(content)
        with engine.processor():
            grey = grey_picture(photograph, _SHOWN)
            truth = picture(photograph, _SHOWN) if photograph.has_colors() else None
        return {
            "name": name,
            "width": grey.width,
            "height": grey.height,
            "size": " x ".join(map(str, photograph.size[:: -1 if photograph.orientation > 4 else 1])),
            "grey": _address(_jpeg(grey), "image/jpeg"),
            "truth": None if truth is None else _address(_jpeg(truth), "image/jpeg"),
            "shown": [_shown(engine, photograph, colorizer, name) for colorizer in engine.colorizers],
        }


def _shown(engine: Engine, photograph: Photograph, colorizer: Colorizer, name: str) -> Shown:
    coloured = engine.color(photograph, colorizer)
    path = PurePath(name)
    with engine.processor():
        file = encode_photograph(coloured)
        small = _jpeg(picture(coloured, _SHOWN))
    return Shown(
        name=colorizer.name,
        address=_address(small, "image/jpeg"),
        file=_address(file, _TYPES[photograph.format]),
        file_name=f"{path.stem}-coloured{path.suffix}",
    )


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
