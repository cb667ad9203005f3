"""Runs without a connection of their own: started by the page, they continue without any client."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

from musespark.errors import MuseError, StoreUnusable
from musespark.server.errors import RequestRefused
from musespark.server.resolve.resolve import stored_options
from musespark.server.runs.session import RunSession
from musespark.server.state import ServerState
from musespark.store.runs.record import RunHeader

PROTOCOL = "page"


async def start_in_background(server: ServerState, session: RunSession) -> None:
    """Start a run as a task of its own and return once its first event is stored. Raises what prevented that."""
    parsed = session.resolved.parsed
    header = RunHeader(
        id=session.id,
        protocol=PROTOCOL,
        model=parsed.model,
        conversation=parsed.conversation,
        caller=session.caller,
        options=stored_options(session.resolved),
    )
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        try:
            with server.track(session):
                async with aclosing(session.batches(header)) as batches:
                    async for _ in batches:
                        if not first.done():
                            await session.flush()
                            first.set_result(None)
        except Exception as error:
            if not first.done():
                # Nothing has happened yet and the client gets the error: a run without a question would only clutter the list.
                with suppress(StoreUnusable):
                    await server.runs.delete(session.id)
                first.set_exception(error)
            elif not isinstance(
                error, MuseError
            ):  # the run's events tell of a MuseError, or the store does when it is read
                raise
        finally:
            first.cancel()

    task = asyncio.create_task(run(), name=f"run-{session.id}")
    server.background_runs.add(task)
    task.add_done_callback(server.background_runs.discard)
    try:
        await asyncio.shield(first)
    except asyncio.CancelledError:
        if first.cancelled():
            raise RequestRefused(
                "The server is being stopped.", status=503, code="stopping"
            ) from None
        raise


async def drain_background_runs(server: ServerState, seconds: float) -> None:
    """Wait that long for background runs to end when the server stops, then cancel them; they are stored as interrupted."""
    if server.background_runs:
        await asyncio.wait(server.background_runs, timeout=max(0.0, seconds))
    for task in list(server.background_runs):
        task.cancel()
