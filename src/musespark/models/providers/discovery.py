"""Which models are there: what this machine's servers serve, and which keys are set. Nothing leaves the machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from musespark.models.providers.base import Provider, is_loopback

SECONDS = 0.5
"""How long a server of this machine may take to say what it serves."""
MOST_BYTES = 1_000_000


def list_served_models(provider: Provider, address: str, key: str | None) -> tuple[str, ...] | None:
    """The names of the models that a server of this machine serves; None where nobody answers, or it is another machine's."""
    if not is_loopback(address):
        return None
    asked = urllib.request.Request(f"{address.rstrip('/')}/models", headers={"Authorization": f"Bearer {key}"} if key else {})
    # A proxy of the environment knows nothing of this machine's own servers.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=SECONDS) as answer:
            found = json.loads(answer.read(MOST_BYTES))
    except (OSError, ValueError):  # refused, too slow, or no such server but something else that speaks HTTP
        return None
    return tuple(_names(found))


def _names(found: Any) -> list[str]:
    listed = found.get("data") if isinstance(found, dict) else None
    entries = listed if isinstance(listed, list) else []
    return [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
