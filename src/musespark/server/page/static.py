"""Static files of the page, as the front end's build left them in `built/`, with the headers that restrict a browser.

Files are looked up by their exact names among those found at the start, so no path leads to any other file.
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

BUILT = Path(__file__).parent / "built"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Only our own files, no inline script or style, and no request to another origin."""
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
FOREVER = "public, max-age=31536000, immutable"
"""Caching of files whose names hold a hash of their content."""
NOT_BUILT = (
    '<!doctype html><html lang="en"><title>Muse Spark</title><p>The page is not built in this source checkout; build it '
    "in web/ with Node, or install the package, and start the server again.</p></html>\n"
)
TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}
"""Media types, independent of the machine's own table: a browser must not guess."""

TOP_LEVEL = (
    "favicon.svg",
    "favicon.ico",
    "icon.png",
    "apple-touch-icon.png",
    "manifest.webmanifest",
    "robots.txt",
)
"""Files that browsers look for at the top."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page."""

    body: bytes
    media_type: str
    etag: str
    """Hash of its content, for caches."""


class PageFiles:
    """All files of the page, read when the first is requested."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or BUILT
        self._files: dict[str, StaticFile] = {}
        self._reading = asyncio.Lock()

    async def file(self, name: str) -> StaticFile | None:
        """Return the file of that name, as in `assets/index-4f2a.js`; None if there is none."""
        if not self._files:
            async with self._reading:
                self._files = self._files or await asyncio.to_thread(_files, self._directory)
        return self._files.get(name)

    async def replay(self) -> str:
        """Return the document that shows one exported run. Raises `RequestRefused` if it is not built."""
        found = await self.file("replay.html")
        if found is None:
            raise RequestRefused(
                "The page is not built in this source checkout; build it in web/ with Node, or install the "
                "package.",
                status=503,
                code="not_built",
            )
        return found.body.decode()


def _files(directory: Path) -> dict[str, StaticFile]:
    found = sorted(path for path in directory.rglob("*") if path.is_file() and path.suffix in TYPES)
    return {path.relative_to(directory).as_posix(): _file(path) for path in found}


def _file(path: Path) -> StaticFile:
    body = path.read_bytes()
    return StaticFile(body, TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def add_routes(app: FastAPI, page: PageFiles) -> None:
    """Add the routes to the application, after all others."""

    async def index(http: HttpRequest) -> Response:
        found = await page.file("index.html")
        return (
            HTMLResponse(NOT_BUILT, 503, HEADERS)
            if found is None
            else _response(http, found, "no-cache")
        )

    async def asset(http: HttpRequest) -> Response:
        name = f"assets/{http.path_params['name']}"
        return _response(http, await _found(name), FOREVER)

    async def top_level(http: HttpRequest) -> Response:
        return _response(http, await _found(http.url.path.removeprefix("/")), "no-cache")

    async def _found(name: str) -> StaticFile:
        found = await page.file(name)
        if found is None:
            raise RequestRefused(
                f"There is no file {name[:120]!r} here.", status=404, code="no_such_page"
            )
        return found

    # A link to a run is the page itself, which then shows that run.
    app.router.routes += [
        Route("/", index),
        Route("/runs/{id}", index),
        Route("/assets/{name:path}", asset),
    ]
    app.router.routes += [Route(f"/{name}", top_level) for name in TOP_LEVEL]


def _response(http: HttpRequest, file: StaticFile, caching: str) -> Response:
    headers = {
        **HEADERS,
        "cache-control": caching,
        "etag": file.etag,
        "content-type": file.media_type,
    }
    if file.etag in http.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers)
