"""Runs as they are watched: what is kept is also shown to whoever looks on, from any point, without gap or repetition.

A watcher reads from the store; of a run that goes on here the newest events wait in memory as well, a bounded number of them. Who
reads slower than that reads on from the store, so that it neither holds the run up nor fills the memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from musespark.errors import MuseError
from musespark.events import Event, Pictured
from musespark.models.model import Openable
from musespark.server.body import until_gone
from musespark.server.runs import Begun, How, Kept, Runs, Spending, as_told
from musespark.store.text import dumped

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PULSE = 10.0
"""Seconds of silence after which a stream says that it is still there."""
ELSEWHERE = 0.5
"""Seconds between two looks at a run that goes on in another server."""
STUCK = 60.0
"""Seconds that a watcher may take to read what was sent; then it counts as gone."""
AT_ONCE = 256
"""Events that are read from the store in one go."""
AHEAD = 1_000_000
"""Bytes of the newest events that wait in memory for the watchers of one run."""
_PULSE = b": still here\n\n"


class Live:
    """A run that goes on."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.last = -1
        """The number of its newest event."""
        self.over = False
        self.changed = asyncio.Event()
        """Set when there is more; then another one takes its place."""
        self._watchers = 0
        self._pictures = 0
        self._frames: deque[bytes] = deque()
        """Of the newest events, up to the last; those that there has been somebody to wait for."""
        self._size = 0

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks on."""
        return self._watchers > 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While somebody looks on."""
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._frames.clear()
                self._size = 0

    def happened(self, events: Sequence[Event]) -> None:
        """These are kept now."""
        for event in events:
            self._pictures += isinstance(event, Pictured)
            if self._watchers:
                self._frames.append(frame(self.id, as_told(event, self._pictures)))
                self._size += len(self._frames[-1])
        while self._size > AHEAD:
            self._size -= len(self._frames.popleft())
        self.last += len(events)
        self._tell()

    def ended(self) -> None:
        """Nothing more will happen."""
        self.over = True
        self._tell()

    def after(self, seq: int) -> bytes:
        """The events after that one, if they are here; nothing where the store has to be asked."""
        missing = self.last - seq
        have = len(self._frames)
        return b"".join(islice(self._frames, have - missing, have)) if 0 < missing <= have else b""

    def _tell(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Watched:
    """A store of runs that shows what it is given to keep, once it is kept: the same methods, and `watch`."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._live: dict[str, Live] = {}
        self.get, self.latest, self.picture = runs.get, runs.latest, runs.picture
        self.asked, self.head, self.told, self.forget = runs.asked, runs.head, runs.told, runs.forget
        self.kept = runs.kept

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Watched]:
        """While the store is open, if it is one that has to be."""
        store: AbstractAsyncContextManager[object] = self.runs.open() if isinstance(self.runs, Openable) else nullcontext()
        async with store:
            yield self

    async def start(self, begun: Begun) -> None:
        """Keep a run from its beginning."""
        await self.runs.start(begun)
        self._live[begun.id] = Live(begun.id)

    async def events(self, id: str, events: Sequence[Event]) -> None:
        """The next events of a run; where somebody looks on, they are kept, then shown."""
        await self.runs.events(id, events)
        live = self._live[id]
        if live.is_watched:
            await self.runs.kept(id)
        live.happened(events)

    def end(self, id: str, how: How, spent: Spending) -> None:
        """The run is over."""
        live = self._live.pop(id, None)
        try:
            self.runs.end(id, how, spent)
        finally:
            if live is not None:
                live.ended()

    async def watch(self, id: str, after: int = -1) -> AsyncGenerator[bytes, None]:
        """The run's events as server-sent events, from the one after that number, and `end` after the last; None to wait for.

        Raises `StoreUnusable`. A run that is deleted meanwhile just stops.
        """
        live = self._live.get(id)
        with live.watched() if live is not None else nullcontext():
            while True:
                over = live is None or live.over  # looked at first: what is over is whole in the store
                news = None if live is None or over else live.changed  # before the store is asked, which takes a while
                if live is not None and (frames := live.after(after)):
                    after = live.last
                    yield frames
                elif (live is None or over or live.last > after) and (found := await self.runs.told(id, after, AT_ONCE)):
                    after = found[-1]["seq"]
                    yield b"".join(frame(id, value) for value in found)
                elif news is not None:  # there is nothing new, or the store does not take what is
                    if not await _within(PULSE, news):
                        yield _PULSE
                elif (kept := await self.runs.head(id)) is None or kept.status != "running":
                    if kept is not None:
                        yield ending(kept)
                    return
                else:
                    async for pulse in self._elsewhere(id, after):
                        yield pulse

    async def _elsewhere(self, id: str, after: int) -> AsyncIterator[bytes]:
        """Wait for more of a run that goes on in another server."""
        waited = 0.0
        while True:
            await asyncio.sleep(ELSEWHERE)
            waited += ELSEWHERE
            kept = await self.runs.head(id)
            if kept is None or kept.status != "running" or await self.runs.told(id, after, 1):
                return
            if waited % PULSE < ELSEWHERE:
                yield _PULSE


async def _within(seconds: float, news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await news.wait()
    except TimeoutError:
        return False


def shown(id: str, value: dict[str, Any]) -> dict[str, Any]:
    """An event as JSON for a page: a picture is a link."""
    if "picture" in value:
        value = {**value, "picture": f"/v1/runs/{id}/pictures/{value['picture']}"}
    return without_signatures(value)


def without_signatures(value: dict[str, Any]) -> dict[str, Any]:
    """An event as JSON without what a provider signed: that is between the server and the provider."""
    calls = {"calls": [{**call, "signature": None} for call in value["calls"]]} if value.get("calls") else {}
    return {name: item for name, item in value.items() if name != "signed"} | calls


def frame(id: str, value: dict[str, Any]) -> bytes:
    """An event as it is sent. JSON has no bare line breaks, so that it is one line."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (value["seq"], value["kind"].encode(), dumped(shown(id, value)))


def ending(kept: Kept) -> bytes:
    """What is sent after the last event: how the run ended, and what it has cost in all."""
    said = {"how": kept.status, "spent": {"tokens": kept.spent.tokens, "usd": kept.spent.usd, "calls": kept.spent.calls}}
    return b"event: end\ndata: %s\n\n" % dumped(said)


class EventStream(Response):
    """Server-sent events on their way to one client, until either of them ends."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        self._frames = frames
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        tasks = [asyncio.create_task(self._send(send)), asyncio.create_task(until_gone(receive))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if not tasks[0].cancelled():
            tasks[0].result()

    async def _send(self, send: Send) -> None:
        async def out(body: bytes, more: bool = True) -> None:
            async with asyncio.timeout(STUCK):
                await send({"type": "http.response.body", "body": body, "more_body": more})

        try:
            async with aclosing(self._frames) as frames:
                await out(b"retry: 1000\n\n")
                async for each in frames:
                    await out(each)
        except TimeoutError:
            return  # nobody reads any more
        except MuseError as error:
            await out(b"event: error\ndata: %s\n\n" % dumped({"message": str(error)}))
        await out(b"", more=False)

