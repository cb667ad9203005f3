"""The files of the page, as the front end's build left them beside this module, and what a browser may do with them.

They are looked up by their exact names among those that were found at the start, so no address leads to any other file.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from musespark.server.errors import RequestRefused

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request as HttpRequest

PAGE = Path(__file__).parent / "built"
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
       "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
"""Nothing but our own files, no script or style within a document, and no way out."""
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
FOREVER = "public, max-age=31536000, immutable"
"""For names that hold a hash of what is in the file."""
NOT_BUILT = ("<!doctype html><html lang=\"en\"><title>Muse Spark</title><p>The page is not built in this source checkout; build it "
             "in web/ with Node, or install the package, and start the server again.</p></html>\n")
TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".json": "application/json", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png",
    ".ico": "image/x-icon", ".woff2": "font/woff2", ".woff": "font/woff", ".ttf": "font/ttf", ".txt": "text/plain; charset=utf-8",
}
"""The machine's own table may know others, and a browser must not guess."""


BESIDE = ("favicon.svg", "favicon.ico", "icon.png", "apple-touch-icon.png", "manifest.webmanifest", "robots.txt")
"""What browsers look for at the top."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page."""

    body: bytes
    kind: str
    tag: str
    """Of its content, for caches."""


class PageFiles:
    """All of them, read when they are first asked for."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or PAGE
        self._files: dict[str, StaticFile] = {}
        self._reading = asyncio.Lock()

    async def file(self, name: str) -> StaticFile | None:
        """The file of that name, as in `assets/index-4f2a.js`; None where there is none."""
        if not self._files:
            async with self._reading:
                self._files = self._files or await asyncio.to_thread(_files, self._directory)
        return self._files.get(name)

    async def replay(self) -> str:
        """The document that shows one run by itself. Raises `RequestRefused` where it is not built."""
        found = await self.file("replay.html")
        if found is None:
            raise RequestRefused("The page is not built in this source checkout; build it in web/ with Node, or install the "
                          "package.",
                          status=503, code="not_built")
        return found.body.decode()


def _files(directory: Path) -> dict[str, StaticFile]:
    found = sorted(path for path in directory.rglob("*") if path.is_file() and path.suffix in TYPES)
    return {path.relative_to(directory).as_posix(): _file(path) for path in found}


def _file(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(body, TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def add_routes(app: FastAPI, page: PageFiles) -> None:
    """Add them to the application, after all others."""

    async def index(http: HttpRequest) -> Response:
        found = await page.file("index.html")
        return HTMLResponse(NOT_BUILT, 503, HEADERS) if found is None else _response(http, found, "no-cache")

    async def asset(http: HttpRequest) -> Response:
        name = f"assets/{http.path_params['name']}"
        return _response(http, await _found(name), FOREVER)

    async def beside(http: HttpRequest) -> Response:
        return _response(http, await _found(http.url.path.removeprefix("/")), "no-cache")

    async def _found(name: str) -> StaticFile:
        found = await page.file(name)
        if found is None:
            raise RequestRefused(f"There is no file {name[:120]!r} here.", status=404, code="no_such_page")
        return found

    # A link to a run is the page itself, which then shows that run.
    app.router.routes += [Route("/", index), Route("/runs/{id}", index), Route("/assets/{name:path}", asset)]
    app.router.routes += [Route(f"/{name}", beside) for name in BESIDE]


def _response(http: HttpRequest, file: StaticFile, caching: str) -> Response:
    headers = {**HEADERS, "cache-control": caching, "etag": file.tag, "content-type": file.kind}
    if file.tag in http.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers)
