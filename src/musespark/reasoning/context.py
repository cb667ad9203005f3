"""The context of one run: its stream of events, its usage and its budget."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from musespark.budget import Budget
from musespark.content import Message, Request, Text, Thinking, ToolCall
from musespark.errors import ModelFailed, MuseError
from musespark.events import (
    MAIN,
    Abstained,
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    AnswerDelta,
    AnswerDropped,
    Event,
    FinishReason,
    Pictured,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    Stamper,
    Status,
    Thought,
    Verified,
)
from musespark.images import as_png
from musespark.models.estimate import estimate_prompt_tokens, estimate_written_tokens
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.call_policy import CallPolicy
from musespark.reasoning.concurrency import is_being_cancelled, wait_cancelled
from musespark.reasoning.usage_node import UsageNode
from musespark.usage import Usage

_AnyEvent = TypeVar("_AnyEvent", bound=Event)
_Result = TypeVar("_Result")

AHEAD = 256
"""Most events that wait for the reader of the stream; beyond that, agents wait too."""
GATHER = 0.005
"""Seconds after a delivery of text within which more text waits to be joined: no person reads that fast, and storing, sending and
showing then cost once for all of it. Any event but text and usage is delivered at once, and with it all before it."""
JOINED = 4096
"""Characters beyond which a text that waits is not made longer."""

_TEXTS = (AnswerDelta, Thought)
_PATIENT = (*_TEXTS, Spent)


class RunContext:
    """One run. Tasks that do the work `emit` events; the stream of events (`batches`) is read once."""

    def __init__(
        self,
        request: Request,
        budget: Budget,
        model: str,
        *,
        call_policy: CallPolicy | None = None,
        gather: float = GATHER,
    ) -> None:
        """model: name of the run. gather: seconds that text may wait for more text."""
        self.request, self.budget, self.model = request, budget, model
        self.call_policy = call_policy or CallPolicy()
        self._gather = gather
        self.main = UsageNode(MAIN)
        self.finish_reason: FinishReason = "finished"
        self.detail = ""
        self.calls: tuple[ToolCall, ...] = ()
        """Calls of the caller's tools in the answer."""
        self.stop: str | None = None
        self.signed: tuple[Text | Thinking, ...] = ()
        """Parts that the provider of the answer wants back in the next request, as in `RunEnded`."""
        self.prompt_tokens: int | None = None
        """Tokens of the conversation as the first model read it; None before a call has ended."""
        self.answer_tokens: int | None = None
        """Tokens of the reply that is the answer; None while there is none."""
        self.has_thought = False
        """True if an agent has shown a thought."""
        self.spawned = 0
        """Sub-agents that tools have spawned; the request caps them."""
        self._stamp = Stamper()
        self._answer: list[str] = []
        self._status: Status = "unchecked"
        self._abstained = ""
        self._images: list[int] = []
        self._published: dict[str, Usage] = {}
        self._waiting: list[Event] = []
        self._sent = 0
        """Events since the reader last took some; joined events count one by one, a long text as several."""
        self._has_events, self._has_room = asyncio.Event(), asyncio.Event()
        self._last_read = -math.inf
        """Time when text was read last."""
        self._delayed_wake: asyncio.TimerHandle | None = None

    @property
    def answer(self) -> str:
        """The answer so far."""
        return "".join(self._answer)

    def set_outcome(self, attempt: Attempt) -> None:
        """Take calls, end and signed parts of the run from this attempt, the answer's."""
        self.calls, self.stop, self.signed = attempt.calls, attempt.stop, attempt.signed
        self.answer_tokens = attempt.answer_tokens
        if self.finish_reason == "finished":
            self.finish_reason, self.detail = attempt.finish_reason, attempt.detail

    def note_prompt(self, messages: tuple[Message, ...], tokens: int) -> None:
        """Note the tokens of a prompt, if it was the first that is the run's own conversation and nothing else."""
        if self.prompt_tokens is None and messages == self.request.messages:
            self.prompt_tokens = tokens

    def _answer_usage(self, total: Usage) -> Usage:
        """Return the tokens of the conversation's prompt and of the answer: parts of the total, estimated where none said."""
        if total.calls <= 1:
            return Usage(tokens=total.tokens, prompt_tokens=total.prompt_tokens)
        prompt, written = self.prompt_tokens, self.answer_tokens
        if prompt is None:
            prompt = estimate_prompt_tokens(self.request)
        if written is None:
            written = estimate_written_tokens(len(self.answer))
        prompt = min(prompt, total.prompt_tokens)
        written = min(written, total.tokens - total.prompt_tokens)
        return Usage(tokens=prompt + written, prompt_tokens=prompt)

    def emit(self, event: _AnyEvent) -> _AnyEvent:
        """Send an event; returns it with its number and time.

        Pieces of one text that have not been read yet become one event, so that storing, showing and sending cost once for all of
        them. A piece that became part of another event is returned as it was.
        """
        if isinstance(event, AnswerDelta):
            self._answer.append(event.text)
        elif isinstance(event, Thought):
            self.has_thought = True
        elif isinstance(event, AnswerDropped):
            self._answer.clear()
            self._status, self._abstained = "unchecked", ""
        elif isinstance(event, Verified):
            self._status, self._abstained = ("verified" if event.ok else "refuted"), ""
        elif isinstance(event, Abstained):
            self._status, self._abstained = "abstained", event.reason
        self._sent += 1 + (len(event.text) // JOINED if isinstance(event, _TEXTS) else 0)
        if self._waiting and (longer := _joined(self._waiting[-1], event)):
            self._waiting[-1] = longer
        else:
            event = self._stamp(event)
            if isinstance(event, Pictured):
                self._images.append(event.seq)
            self._waiting.append(event)
        if self._delayed_wake is None or self._sent > AHEAD or not isinstance(event, _PATIENT):
            self._wake(event)
        return event

    def _wake(self, event: Event) -> None:
        """Wake the reader, at once or after text has waited for more text."""
        left = (
            self._last_read + self._gather - time.monotonic()
            if isinstance(event, _PATIENT) and not self.is_behind
            else 0.0
        )
        if left > 0:
            self._delayed_wake = self._delayed_wake or asyncio.get_running_loop().call_later(
                left, self._has_events.set
            )
        else:
            self._has_events.set()

    async def within_deadline(
        self, work: Awaitable[_Result], scope: Budget | None = None
    ) -> _Result:
        """Await anything but a model's call until the deadline; then cancel it and raise `BudgetExhausted`.

        scope: the budget whose deadline counts; the run's by default.
        """
        scope = scope or self.budget
        with scope.alarm() as alarm:
            try:
                async with asyncio.timeout(scope.seconds_left()) as timeout:
                    alarm.timeout = timeout
                    return await work
            except TimeoutError:
                if timeout.expired():
                    raise scope.overdue() from None
                raise

    @property
    def is_behind(self) -> bool:
        """True if the reader is far behind."""
        return self._sent > AHEAD

    async def backpressure(self) -> None:
        """Wait while the reader is far behind. Called between two pieces of a reply, because waiting there stops the backend."""
        while self.is_behind:
            self._has_room.clear()
            await self._has_room.wait()

    def publish_usage(self, node: UsageNode) -> None:
        """Publish the usage of an agent, and with it of the whole run, so far."""
        for each in dict.fromkeys((node, self.main)):
            if self._published.get(each.agent) != (total := each.total):
                self._published[each.agent] = total
                self.emit(Spent(each.agent, total))

    async def batches(self, work: Coroutine[Any, Any, None]) -> AsyncGenerator[list[Event], None]:
        """Do the work, and hand out its events: all that have come since the last, none of the lists empty. Closing the stream
        cancels the work, and waits until it has ended."""
        task = asyncio.create_task(self._run_to_the_end(work))
        task.add_done_callback(lambda _: self._has_events.set())
        try:
            while True:
                await self._has_events.wait()
                self._has_events.clear()
                if self._waiting:
                    burst = self._take_waiting()
                    yield burst
                elif task.done():
                    break
                if task.done():
                    self._has_events.set()
            task.result()
        finally:
            task.cancel()
            await wait_cancelled([task])

    def _take_waiting(self) -> list[Event]:
        """All that waits, for the reader."""
        burst, self._waiting, self._sent = self._waiting, [], 0
        self._has_room.set()
        if self._delayed_wake is not None:
            self._delayed_wake.cancel()
            self._delayed_wake = None
        if any(isinstance(event, _TEXTS) for event in burst):
            self._last_read = time.monotonic()
        return burst

    async def _run_to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        self.emit(
            RunStarted(uuid.uuid4().hex, self.request.mode, self.model, self.request.question)
        )
        self.emit(AgentStarted(MAIN, None, self.request.question))
        for video in self.request.videos:
            png, width, height = await asyncio.to_thread(as_png, video.sheet)
            self.emit(Pictured(MAIN, png, "contact sheet of a video", width, height))
        try:
            await work
        except asyncio.CancelledError:
            if is_being_cancelled():
                raise
            failure = ModelFailed(self.model, "something within the run cancelled it")
            self._emit_failed(failure)
            raise failure from None
        except MuseError as error:
            self._emit_failed(error)
            raise
        except Exception as crash:  # a bug; the person still gets a typed error and the whole story
            failure = ModelFailed(self.model, repr(crash))
            self._emit_failed(failure)
            raise failure from crash
        self._emit_ended()

    def _emit_ended(self) -> None:
        """The closing events of a run with an answer. Seconds are measured here, for every backend alike: what a person waited."""
        if self.finish_reason == "budget" and self.budget.stopped:
            self.detail = "it was stopped"
        returned = self.emit(AgentReturned(MAIN, self.answer))
        usage = replace(self.main.total, seconds=returned.at)
        is_verified = self._status == "verified"
        self.emit(
            RunEnded(
                self.answer,
                is_verified,
                usage,
                tuple(self._images),
                self.finish_reason,
                self.detail,
                self.calls,
                self.stop,
                self.signed,
                self._status,
                self._abstained,
                self._answer_usage(usage),
            )
        )

    def _emit_failed(self, error: MuseError) -> None:
        self.emit(AgentCancelled(MAIN, "the run failed"))
        self.emit(RunFailed(type(error).__name__, str(error)))


def _joined(waiting: Event, event: Event) -> Event | None:
    """An event that waits and the next piece of the same text as one, and the newer of two accounts; None for any other two."""
    if isinstance(event, AnswerDelta):
        if isinstance(waiting, AnswerDelta) and len(waiting.text) < JOINED:
            return AnswerDelta(waiting.text + event.text, seq=waiting.seq, at=waiting.at)
    elif isinstance(event, Thought) and isinstance(waiting, Thought):
        if event.agent == waiting.agent and len(waiting.text) < JOINED:
            return Thought(waiting.agent, waiting.text + event.text, seq=waiting.seq, at=waiting.at)
    elif isinstance(event, Spent) and isinstance(waiting, Spent) and event.agent == waiting.agent:
        return Spent(event.agent, event.usage, seq=waiting.seq, at=waiting.at)
    return None
