"""Requests to the loopback servers, and what arrives there."""

import json

from models.providers.kinds import KINDS, Kind
from models.providers.servers import serving

from musespark.content import Request, ToolSpec

BY_NAME = {str(kind): kind for kind in KINDS}


LOOK = ToolSpec.of("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
)


async def all_of(model, request):
    return [delta async for delta in model.stream(request)]


async def sent(kind: Kind, request: Request, **options) -> dict:
    """Form of a request on the wire."""
    async with serving(kind.wire) as server:
        await all_of(kind.at(server.url, **options), request)
        return server.bodies[-1]
