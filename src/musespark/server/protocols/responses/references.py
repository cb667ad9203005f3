"""References to items of stored responses, and the items that they stand for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from musespark.server.errors import RequestRefused
from musespark.server.protocols.base import Chunk
from musespark.server.protocols.responses.stored_items import input_items, run_of_item
from musespark.server.protocols.responses.stored_responses import response_of
from musespark.store.runs.record import StoredRun


async def find_items(
    ids: Iterable[str], get: Callable[[str], Awaitable[StoredRun | None]], caller: str
) -> dict[str, Chunk]:
    """Find stored items by their ids. Raises `RequestRefused` (404) for one that is not the caller's.

    get: gives a run by its id.
    """
    found: dict[str, Chunk] = {}
    for id in ids:
        run = run_of_item(id)
        if id not in found and run is not None:
            kept = await get(run)
            if kept is not None and kept.header.caller == caller:
                found |= {item["id"]: item for item in items_of(kept)}
                call = found.get(id.replace("ctc_", "fc_", 1))
                if call is not None:  # of a tool with a text as input; models know it as a function
                    found[id] = call
        if id not in found:
            raise RequestRefused(
                f"There is no item {id[:80]!r}; its response was not stored, or was deleted.",
                status=404,
                code="no_such_item",
                param="input",
            )
    return found


def items_of(kept: StoredRun) -> list[Chunk]:
    """Return the items that a stored response was given, and those that it gave."""
    output: list[Chunk] = response_of(kept)["output"]
    return [*input_items(kept.header.id, kept.header.conversation), *output]
