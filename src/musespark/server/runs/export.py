"""A run as one file that shows itself: the page's own replay with the run written into it. It asks nobody for anything."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from musespark.content import Image
from musespark.events import Pictured
from musespark.server.errors import RequestRefused
from musespark.server.runs.run_store import Kept
from musespark.server.runs.live_runs import without_signatures

PLACE = '<script type="application/json" id="run">null</script>'
"""Where the run stands in the file that the front end's build made."""


def export_html(replay: str, summary: dict[str, Any], kept: Kept) -> str:
    """The document. replay: what the build made. Raises `RequestRefused` where that has no place for a run."""
    before, place, after = replay.partition(PLACE)
    if not place:
        raise RequestRefused("The page's replay was built for another version; build it again.", status=503, code="not_built")
    shown = {**summary, "asked": {**summary["asked"], "images": [_data_url(image) for image in kept.begun.asked]}, "pictures": []}
    return f"{before}{PLACE.replace('null', inert({'run': shown, 'events': list(_events(kept))}))}{after}"


def inert(value: object) -> str:
    """JSON within a script element: ASCII, and without any `<`, so that nothing in it ends the element or begins a comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _events(kept: Kept) -> Iterator[dict[str, Any]]:
    for event in kept.events:
        value = without_signatures(event.to_json())
        if isinstance(event, Pictured):
            value["picture"] = f"data:image/png;base64,{value['picture']}"
        yield value


def _data_url(image: Image) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode('ascii')}"
