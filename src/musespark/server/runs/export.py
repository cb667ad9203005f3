"""Export of a run as one HTML file: the page's replay with the run written into it. It needs no server and makes no request."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from musespark.content import Image
from musespark.events import Pictured
from musespark.server.errors import RequestRefused
from musespark.server.runs.live_runs import without_signatures
from musespark.store.runs.record import StoredRun

PLACEHOLDER = '<script type="application/json" id="run">null</script>'
"""Element of the built replay that receives the run."""


def export_html(replay: str, summary: dict[str, Any], kept: StoredRun) -> str:
    """Write a run into the built replay. Raises `RequestRefused` if that has no placeholder."""
    before, placeholder, after = replay.partition(PLACEHOLDER)
    if not placeholder:
        raise RequestRefused(
            "The page's replay was built for another version; build it again.",
            status=503,
            code="not_built",
        )
    shown = {
        **summary,
        "asked": {
            **summary["asked"],
            "images": [_data_url(image) for image in kept.header.question_images],
        },
        "pictures": [],
    }
    return f"{before}{PLACEHOLDER.replace('null', script_safe_json({'run': shown, 'events': list(_events(kept))}))}{after}"


def script_safe_json(value: object) -> str:
    """Encode JSON for a script element: ASCII without any `<`, so that nothing ends the element or starts a comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _events(kept: StoredRun) -> Iterator[dict[str, Any]]:
    for event in kept.events:
        value = without_signatures(event.to_json())
        if isinstance(event, Pictured):
            value["picture"] = f"data:image/png;base64,{value['picture']}"
        yield value


def _data_url(image: Image) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode('ascii')}"
