"""One run on its way to one client, until either of them ends: as an ASGI application, streamed or whole."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from musespark.budget import Budget, Limits
from musespark.errors import BudgetExhausted, MuseError, Stopped, StoreUnusable
from musespark.events import Event, RunEnded, RunFailed, RunStarted
from musespark.reasoning.modes import run_batches
from musespark.server.body import until_gone
from musespark.server.dialect import Chunks, Dialect, framed
from musespark.server.failures import Failure, failure_of
from musespark.server.metrics import Metrics
from musespark.server.page_body import options_of
from musespark.server.runs import Begun, How, Runs, Spending
from musespark.server.schema import require_fit
from musespark.server.seating import Seated
from musespark.server.telling import Telling, settled
from musespark.store.text import dumped

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

AT_ONCE = 0.02
"""Seconds within which a failure still becomes the response's status; then a stream begins."""
PULSE = 15.0
"""Seconds of silence after which a stream says that it is still there."""
FAREWELL = 1.0
"""Seconds that a client has to read that the server is stopped."""
STOPPING = Failure(status=503, code="stopping", message="The server is being stopped; ask again in a moment.", retry=True)
STUCK = 60.0
"""Seconds that a client may take to read what was sent; then it counts as gone."""


@dataclass(kw_only=True, eq=False)
class Thinking:
    """One run: who thinks, what it may cost, and where it is kept."""

    seated: Seated
    runs: Runs | None
    """None: it is not kept."""
    budget: Budget
    caller: str = ""
    metrics: Metrics | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    gone: bool = False
    """Whether the client has left."""

    async def bursts(self, begun: Begun) -> AsyncGenerator[list[Event], None]:
        """The events under the run's id as they come. Whoever shows something of them waits until it is `kept`.

        Raises what the run raises, and `SchemaNotMet`.
        """
        how: How = "interrupted"
        watch = self.metrics.watch(str(self.seated.request.mode)) if self.metrics else None
        try:
            if self.runs is not None:
                await self.runs.start(begun)
            async with aclosing(run_batches(self.seated.team, self.seated.request, self.budget)) as found:
                async for burst in found:
                    burst[0], burst[-1] = self._own(burst[0]), self._own(burst[-1])
                    last = burst[-1]
                    if self.runs is not None:
                        await self.runs.events(self.id, burst)
                    if isinstance(last, RunEnded | RunFailed):
                        await self.kept()
                    if watch is not None:
                        watch.happened(burst)
                    if isinstance(last, RunEnded):
                        try:
                            self._require_answer(last)
                        except MuseError:
                            yield burst[:-1]
                            raise
                        how = "finished"
                    yield burst
        except Stopped:
            how = "cancelled"
            raise
        except Exception:
            how = "failed"
            raise
        finally:
            how = "cancelled" if self.gone and how == "interrupted" else how
            spent = Spending(tokens=self.budget.spent.tokens, usd=self.budget.spent.usd, calls=self.budget.spent.calls)
            if watch is not None:
                watch.ended(how, spent)
            if self.runs is not None:
                self.runs.end(self.id, how, spent)

    async def kept(self) -> None:
        """Return when nothing can undo what has happened so far. Raises `StoreUnusable`."""
        if self.runs is not None:
            await self.runs.kept(self.id)

    def _own(self, event: Event) -> Event:
        """The event as this run has it: under its id, and of several calls only the first where one at a time is wanted."""
        match event:
            case RunStarted():
                return replace(event, run=self.id)
            case RunEnded() if self.seated.asked.one_call:
                return replace(event, calls=event.calls[:1])
        return event

    def _require_answer(self, ended: RunEnded) -> None:
        """Raise what an ending amounts to that is none: nothing was said before a limit, or not in the form that was asked for."""
        request, strict = self.seated.request, self.seated.asked.strict
        if ended.finish_reason == "budget" and not ended.answer.strip() and not ended.calls:
            limits = self.seated.limits or Limits()
            raise self.budget.overdue() if self.budget.seconds_left() == 0 else BudgetExhausted("tokens", limits.tokens or 0)
        name = self.seated.team.name
        if request.schema is not None and not ended.calls and ended.finish_reason == "finished":
            require_fit(ended.answer, request.schema, name)
        for call in ended.calls:
            if call.name in strict:
                require_fit(call.arguments, next(tool.parameters for tool in request.tools if tool.name == call.name), name)


class Answering:
    """The response to a question. When the client leaves, the run is cancelled with everything it has started."""

    def __init__(self, dialect: Dialect[Any], thinking: Thinking) -> None:
        asked = thinking.seated.asked
        created = int(time.time())
        self._dialect, self._thinking, self._streamed = dialect, thinking, asked.stream
        self._begun = Begun(id=thinking.id, protocol=dialect.name, model=asked.model, conversation=asked.conversation,
                            caller=thinking.caller, created=created, options=options_of(thinking.seated))
        links = f"/v1/runs/{thinking.id}/pictures/" if thinking.runs is not None else None
        self._telling = Telling(head=thinking.seated.head, notes=thinking.seated.notes, lines=thinking.seated.lines,
                                links=links)
        self._chunks: Chunks = dialect.chunks(asked, thinking.id, created)
        self._beginning = self._chunks.begin()
        self._sending = asyncio.Lock()
        self._opened = False
        self._last_sent = time.monotonic()
        self._since: float | None = None
        """When the sending began that is under way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.create_task(self._streaming(send) if self._streamed else self._collecting(send))
        tasks, stopped = {work}, False
        try:
            await asyncio.wait(tasks, timeout=AT_ONCE)
            if not work.done():  # as most are who need not wait for a network: they are spared the rest
                tasks.add(asyncio.create_task(until_gone(receive)))
                if self._streamed:
                    tasks.add(asyncio.create_task(self._pulse(send)))
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                self._thinking.gone = not work.done()
        except asyncio.CancelledError:  # the server is stopped, and its time to wait for answers is up
            stopped = True
            raise
        finally:
            if tasks != {work} or not work.done():
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            if stopped and work.cancelled():
                await self._say_so(send)
        if not work.cancelled():
            work.result()

    async def _say_so(self, send: Send) -> None:
        """Tell a client that waits that the server is stopped."""
        with suppress(TimeoutError, RuntimeError):  # it does not read, or has half of an answer already
            async with asyncio.timeout(FAREWELL):
                await self._failed(send, STOPPING)

    async def _pulse(self, send: Send) -> None:
        """Open the stream, keep it alive, and end where the client does not read."""
        try:
            await self._thinking.kept()  # the run's id is in what is sent
            if not self._opened:
                await self._send(send, b"")
        except StoreUnusable:  # the run meets that as well, now and not after it has thought for a minute and cost something
            self._thinking.budget.stop()
        while self._since is None or time.monotonic() - self._since < STUCK:
            await asyncio.sleep(1.0)
            if self._opened and time.monotonic() - self._last_sent > PULSE and self._since is None:
                await self._send(send, self._dialect.ping)

    async def _streaming(self, send: Send) -> None:
        end = b""
        try:
            async with aclosing(self._thinking.bursts(self._begun)) as found:
                async for burst in found:
                    pieces = (piece for event in burst for piece in self._telling.tell(event))
                    chunks = [chunk for piece in pieces for chunk in self._chunks.tell(piece)]
                    if isinstance(burst[-1], RunEnded):
                        end = framed(self._dialect, chunks)
                    elif chunks:
                        await self._thinking.kept()
                        await self._send(send, framed(self._dialect, chunks))
        except MuseError as error:
            await self._failed(send, failure_of(error))
            return
        except Exception as crash:
            await self._failed(send, failure_of(_bug(crash)))
            raise
        await self._send(send, end + self._dialect.last, more=False)

    async def _failed(self, send: Send, failure: Failure) -> None:
        """An error as a status where nothing was sent yet, else as the protocol says it in a stream."""
        async with self._sending:
            untouched, self._opened = not self._opened, True
        if untouched:
            await self._whole(send, failure.status, self._dialect.error(failure, self._thinking.id), headers_of(failure))
        else:
            await self._send(send, framed(self._dialect, self._chunks.failed(failure)) + self._dialect.last, more=False)

    async def _send(self, send: Send, body: bytes, more: bool = True) -> None:
        """The next bytes of a stream; what comes before the first of them opens it."""
        async with self._sending:
            self._since = time.monotonic()
            if not self._opened:
                headers = [*self._headers("text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"),
                           (b"x-accel-buffering", b"no")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                self._opened = True
                body = framed(self._dialect, self._beginning) + body
            await send({"type": "http.response.body", "body": body, "more_body": more})
            self._last_sent, self._since = time.monotonic(), None

    async def _collecting(self, send: Send) -> None:
        try:
            async with aclosing(self._thinking.bursts(self._begun)) as found:
                events = [event async for burst in found for event in burst]
        except MuseError as error:
            await self._failed(send, failure_of(error))
            return
        except Exception as crash:
            await self._failed(send, failure_of(_bug(crash)))
            raise
        pieces = (piece for event in settled(events) for piece in self._telling.tell(event))
        chunks = [*self._beginning, *(chunk for piece in pieces for chunk in self._chunks.tell(piece))]
        await self._whole(send, 200, self._dialect.whole(chunks), [])

    async def _whole(self, send: Send, status: int, value: object, extra: list[tuple[bytes, bytes]]) -> None:
        body = dumped(value)
        headers = [*self._headers("application/json"), (b"content-length", str(len(body)).encode()), *extra]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _headers(self, kind: str) -> list[tuple[bytes, bytes]]:
        id = self._thinking.id.encode()
        return [(b"content-type", kind.encode()), (b"x-muse-run", id), (b"x-request-id", id), (b"request-id", id)]


def headers_of(failure: Failure) -> list[tuple[bytes, bytes]]:
    """Whether and when to ask again: the SDKs of both houses obey the second header."""
    wait = [] if failure.retry_after is None else [(b"retry-after", f"{failure.retry_after:g}".encode())]
    return [*wait, (b"x-should-retry", b"true" if failure.retry else b"false")]


def _bug(crash: Exception) -> MuseError:
    return MuseError(f"The server has a fault ({type(crash).__name__}); its log says more.")
