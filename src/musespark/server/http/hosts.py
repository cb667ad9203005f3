"""Requests that change something must not come from another site's page: its scripts run in the same browser as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from musespark.server.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest


def require_same_origin(http: HttpRequest) -> None:
    """Raise `RequestRefused` (403) where a browser says that the request comes from a page which is not this server's.

    Programs that are no browser send no `Origin`. A page under a name of its own that points here sends that name as the host,
    too; such requests never come this far on loopback, and elsewhere they lack a key.
    """
    origin = http.headers.get("origin")
    if origin is None:
        return
    try:
        place = urlsplit(origin).netloc.lower()
    except ValueError:
        place = ""
    if not place or place != http.headers.get("host", "").lower():
        raise RequestRefused("This was asked by a page of another site; open the page of this server itself.", status=403,
                      code="other_origin")
