"""Redirects of a request: within one server only, for it carries a key and a conversation."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

MAX_REDIRECTS = 5
_KEEPING = (301, 302, 307, 308)
"""Statuses after which the same request is sent again; 303 asks for another one."""
_PORTS = {"http": 80, "https": 443}


class RedirectRefused(Exception):
    """A server redirects a request to another one, or in a circle; the text is a clause that says where."""


def find_redirect(url: str, status: int, location: str | None, count: int) -> str | None:
    """The address to send a request to instead; None if there is none. Raises `RedirectRefused`.

    count: how many redirects have been followed.
    """
    if status not in _KEEPING or not location:
        return None
    try:
        target = urljoin(url, location)
        here, there = _origin(urlsplit(url)), _origin(urlsplit(target))
    except ValueError:
        return None
    if here != there:
        raise RedirectRefused(
            f"redirects to {there[0]}://{there[1]}:{there[2]}, where neither the key nor the question is sent"
        )
    if count >= MAX_REDIRECTS:
        raise RedirectRefused("redirects in a circle")
    return target


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    return url.scheme, url.hostname or "", url.port or _PORTS.get(url.scheme)
