"""Discovery of the models that servers on this machine serve. No request leaves the machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from musespark.models.providers.base import Provider, is_loopback

TIMEOUT = 0.5
"""Seconds that a server may take to list its models."""
MAX_BYTES = 1_000_000


def list_served_models(provider: Provider, address: str, key: str | None) -> tuple[str, ...] | None:
    """Names of the models that a server on this machine serves; None if nothing answers, or it is on another machine."""
    if not is_loopback(address):
        return None
    request = urllib.request.Request(
        f"{address.rstrip('/')}/models", headers={"Authorization": f"Bearer {key}"} if key else {}
    )
    # A proxy from the environment cannot reach servers on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT) as response:
            found = json.loads(response.read(MAX_BYTES))
    except (OSError, ValueError):  # refused, too slow, or another kind of HTTP server
        return None
    return tuple(_names(found))


def _names(found: Any) -> list[str]:
    listed = found.get("data") if isinstance(found, dict) else None
    entries = listed if isinstance(listed, list) else []
    return [
        entry["id"]
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    ]
