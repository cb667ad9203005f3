"""Libraries that some commands need beyond the core install."""

from __future__ import annotations

from importlib.util import find_spec

from musespark.errors import NotInstalled


def require(purpose: str, extra: str, *libraries: str) -> None:
    """Raise `NotInstalled` for the first of the libraries that is missing."""
    for library in libraries:
        if find_spec(library) is None:
            raise NotInstalled(purpose, library, extra)
