"""Runs that can be watched while they are in progress: a store that also publishes what it stores, without gap or repetition.

A watcher reads from the store. The newest events of a run in progress also wait in memory, up to a number of bytes; a watcher that
falls further behind continues from the store, so that it neither slows the run down nor fills the memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from musespark.errors import MuseError, StoreUnusable
from musespark.events import Event, Pictured
from musespark.models.model import Openable
from musespark.server.errors import error_reply
from musespark.server.http.event_stream import EventStream, StreamTiming, serve_until_disconnect
from musespark.server.runs.run_store import RunStore, numbered_event_json
from musespark.store.json_text import to_json_bytes
from musespark.store.runs.record import RunCost, RunHeader, RunStatus, StoredRun

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PAGE_SIZE = 256
"""Events that are read from the store at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """Limits of watching."""

    recheck: float = 10.0
    """Seconds after which the store is read again although nothing was published."""
    poll_interval: float = 0.5
    """Seconds between two looks at a run that another server runs."""
    buffer_bytes: int = 1_000_000
    """Size of the newest events that wait in memory for the watchers of one run."""


class LiveRun:
    """A run in progress on this server, with its newest events encoded for its watchers."""

    def __init__(self, id: str, buffer_bytes: int) -> None:
        self.id, self._buffer_bytes = id, buffer_bytes
        self.last = -1
        """Sequence number of its newest event."""
        self.is_over = False
        self.changed = asyncio.Event()
        """Set when there are new events, or none any more; a new one then takes its place."""
        self._watchers = 0
        self._images = 0
        self._frames: deque[bytes] = deque()
        """Newest events up to the last; empty while there are no watchers."""
        self._size = 0

    @property
    def is_watched(self) -> bool:
        """True while there are watchers."""
        return self._watchers > 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count a watcher within the `with` block."""
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._frames.clear()
                self._size = 0

    def publish(self, events: Sequence[Event]) -> None:
        """Show events that are stored to the watchers."""
        for event in events:
            self._images += isinstance(event, Pictured)
            if self._watchers:
                self._frames.append(event_frame(self.id, numbered_event_json(event, self._images)))
                self._size += len(self._frames[-1])
        while self._size > self._buffer_bytes:
            self._size -= len(self._frames.popleft())
        self.last += len(events)
        self._notify()

    def close(self) -> None:
        """Tell the watchers that there will be no more events."""
        self.is_over = True
        self._notify()

    def frames_after(self, seq: int) -> bytes:
        """Return the events after that number; nothing if they are not all in memory."""
        missing = self.last - seq
        buffered = len(self._frames)
        return (
            b"".join(islice(self._frames, buffered - missing, buffered))
            if 0 < missing <= buffered
            else b""
        )

    def _notify(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class LiveRuns:
    """A run store around another one: it has the same methods, publishes what it stores, and adds `watch`."""

    def __init__(self, runs: RunStore, settings: WatchSettings | None = None) -> None:
        self.runs, self.settings = runs, settings or WatchSettings()
        self._live: dict[str, LiveRun] = {}
        self.get, self.latest, self.image = runs.get, runs.latest, runs.image
        self.question_image, self.events_json = runs.question_image, runs.events_json
        self.head, self.delete = runs.head, runs.delete
        self.flush = runs.flush
        self.require_writable, self.request_stop = runs.require_writable, runs.request_stop

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LiveRuns]:
        """Open the store behind it, if it has to be opened."""
        store: AbstractAsyncContextManager[object] = (
            self.runs.open() if isinstance(self.runs, Openable) else nullcontext()
        )
        async with store:
            yield self

    @property
    def on_stop(self) -> Callable[[str], None]:
        """Function that is called with the id of a run that another server was asked to stop."""
        return self.runs.on_stop

    @on_stop.setter
    def on_stop(self, stop: Callable[[str], None]) -> None:
        self.runs.on_stop = stop

    @property
    def fault(self) -> StoreUnusable | None:
        """Fault of the store behind it; None without one."""
        return self.runs.fault

    @property
    def failures(self) -> Mapping[str, int]:
        """Numbers of faults of the store behind it, by kind."""
        return self.runs.failures

    async def start(self, header: RunHeader) -> None:
        """Store the start of a run."""
        await self.runs.start(header)
        self._live[header.id] = LiveRun(header.id, self.settings.buffer_bytes)

    async def append_events(self, id: str, events: Sequence[Event]) -> None:
        """Store the next events of a run, then publish them; if it is watched, not before they are stored for good."""
        await self.runs.append_events(id, events)
        live = self._live[id]
        if live.is_watched:
            await self.runs.flush(id)
        live.publish(events)

    def end(self, id: str, status: RunStatus, cost: RunCost) -> None:
        """Store the end of a run."""
        live = self._live.pop(id, None)
        try:
            self.runs.end(id, status, cost)
        finally:
            if live is not None:
                live.close()

    async def watch(self, id: str, after: int = -1) -> AsyncGenerator[bytes, None]:
        """Yield the run's events as server-sent events, from the one after that number, and `end` after the last.

        Raises `StoreUnusable`. If the run is deleted meanwhile, it just stops.
        """
        live = self._live.get(id)
        with live.watched() if live is not None else nullcontext():
            while True:
                is_over = (
                    live is None or live.is_over
                )  # read first: a run that is over is complete in the store
                changed = (
                    None if live is None or is_over else live.changed
                )  # before the store is read, which takes a while
                if live is not None and (frames := live.frames_after(after)):
                    after = live.last
                    yield frames
                elif (live is None or is_over or live.last > after) and (
                    found := await self.runs.events_json(id, after, PAGE_SIZE)
                ):
                    after = found[-1]["seq"]
                    yield b"".join(event_frame(id, value) for value in found)
                elif (
                    changed is not None
                ):  # there are no new events, or the store has not taken them yet
                    await _wait(changed, self.settings.recheck)
                elif (kept := await self.runs.head(id)) is None or kept.status != "running":
                    if kept is not None:
                        yield end_frame(kept)
                    return
                else:
                    await self._wait_for_other_server(id, after)

    async def _wait_for_other_server(self, id: str, after: int) -> None:
        """Return once a run that another server runs has new events or has ended."""
        while True:
            await asyncio.sleep(self.settings.poll_interval)
            kept = await self.runs.head(id)
            if (
                kept is None
                or kept.status != "running"
                or await self.runs.events_json(id, after, 1)
            ):
                return


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return


def event_json(id: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return an event's JSON for the page: an image becomes a link, and signatures are left out."""
    if "picture" in value:
        value = {**value, "picture": f"/v1/runs/{id}/pictures/{value['picture']}"}
    return without_signatures(value)


def without_signatures(value: dict[str, Any]) -> dict[str, Any]:
    """Return an event's JSON without what a provider signed: that is between the server and the provider."""
    calls = (
        {"calls": [{**call, "signature": None} for call in value["calls"]]}
        if value.get("calls")
        else {}
    )
    return {name: item for name, item in value.items() if name != "signed"} | calls


def event_frame(id: str, value: dict[str, Any]) -> bytes:
    """Encode an event as a server-sent event. JSON has no bare line breaks, so the data is one line."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        value["seq"],
        value["kind"].encode(),
        to_json_bytes(event_json(id, value)),
    )


def end_frame(kept: StoredRun) -> bytes:
    """Encode the end of a run, sent after its last event: its status and its total cost."""
    said = {
        "how": kept.status,
        "spent": {"tokens": kept.cost.tokens, "usd": kept.cost.usd, "calls": kept.cost.calls},
    }
    return b"event: end\ndata: %s\n\n" % to_json_bytes(said)


class WatchResponse(Response):
    """Response that sends the events of one run to a watcher."""

    def __init__(
        self, frames: AsyncGenerator[bytes, None], timing: StreamTiming | None = None
    ) -> None:
        super().__init__()
        self._frames, self._timing = frames, timing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = EventStream(send, preamble=b"retry: 1000\n\n", timing=self._timing)
        work = asyncio.create_task(self._stream(stream))
        await serve_until_disconnect(work, receive, companions=[stream.keep_alive])

    async def _stream(self, stream: EventStream) -> None:
        await stream.write()
        try:
            async with aclosing(self._frames) as frames:
                async for frame in frames:
                    await stream.write(frame)
        except MuseError as error:
            await stream.write(
                b"event: error\ndata: %s\n\n"
                % to_json_bytes({"message": error_reply(error).message})
            )
        await stream.write(last=True)
