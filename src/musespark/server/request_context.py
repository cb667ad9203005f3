"""Everything that a request refers to, gathered before it is parsed: stored items, earlier turns, images from the web."""

from __future__ import annotations

from typing import Any, TypeVar

from musespark.server.errors import RequestRefused
from musespark.server.http.body import StrictModel, parse_header
from musespark.server.http.schema import require_schemas
from musespark.server.protocols.base import Dialect, RequestContext
from musespark.server.protocols.responses.references import find_items
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.state import ServerState

_Body = TypeVar("_Body", bound=StrictModel)


async def gather_context(
    server: ServerState,
    dialect: Dialect[Any],
    body: _Body,
    *,
    caller: str,
    options: str | None = None,
) -> tuple[_Body, RequestContext]:
    """Return the body with items in place of references, and the rest of what it refers to. Raises `RequestRefused`.

    caller: only runs of this caller are found. options: JSON of a header.
    """
    references = dialect.item_ids(body)
    if references:
        body = dialect.with_items(body, await find_items(references, server.runs.get, caller))
    return body, RequestContext(
        options=parse_header(TeamOptions, "x-muse", options) if options else None,
        earlier=await _earlier(server, dialect, dialect.previous_id(body), caller),
        images=await server.images.fetch(
            dialect.remote_image_urls(body), server.settings.allow_remote_images
        ),
    )


async def _earlier(
    server: ServerState, dialect: Dialect[Any], id: str | None, caller: str
) -> tuple[Any, ...]:
    """Return the conversation of the run that a request continues."""
    if id is None:
        return ()
    kept = await server.runs.get(id.removeprefix(dialect.id_prefix))
    if kept is None or kept.header.caller != caller:
        raise RequestRefused(
            f"There is no response {id[:80]!r}; it was not stored, or was deleted.",
            code="previous_response_not_found",
            param="previous_response_id",
        )
    return kept.turn


def require_valid_schemas(parsed: ParsedRequest) -> None:
    """Raise `RequestRefused` for an invalid schema, before any model is called."""
    request = parsed.request
    answer = {} if request.schema is None else {"schema": request.schema}
    require_schemas(
        answer
        | {
            f"the parameters of {tool.name}": tool.parameters
            for tool in request.tools
            if tool.name in parsed.strict_tools
        }
    )
