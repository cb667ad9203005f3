"""One call of a model for an agent: within budget and deadline, with retries.

Every outcome is a `ModelReply` or a typed error, with its usage booked.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from itertools import count

from musespark.budget import Cost, Reservation
from musespark.content import Message, Mode, Part, Request, Text, Thinking, ToolCall
from musespark.errors import (
    BudgetExhausted,
    BudgetReserved,
    ConnectionLost,
    ModelFailed,
    MuseError,
    RateLimited,
    StreamCut,
)
from musespark.events import (
    Abstained,
    AnswerDropped,
    Event,
    FinishReason,
    Noted,
    Pictured,
    Spent,
    Thought,
    Verified,
)
from musespark.models.estimate import estimate_prompt_tokens, estimate_written_tokens
from musespark.models.model import (
    Delta,
    Finish,
    Model,
    TextBecameThought,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageDelta,
)
from musespark.reasoning.agent.deltas import DeltaTranslator
from musespark.reasoning.agent.reply import ModelReply, join_parts
from musespark.reasoning.call_policy import CallPolicy
from musespark.reasoning.concurrency import is_being_cancelled
from musespark.reasoning.context import RunContext
from musespark.reasoning.usage_node import UsageNode
from musespark.usage import Usage
from musespark.vision.resize import fit_images

BETWEEN_ACCOUNTS = 0.05
"""Seconds between two accounts of one call while it is under way."""
_NANO_USD = 1e-9
_TICK = 0.01
"""Seconds that an event loop's timer may come early."""


async def call_model(
    run: RunContext, node: UsageNode, model: Model, request: Request, *, speak: bool = False
) -> ModelReply:
    """Call the model, with retries. With `speak`, the text streams as the run's answer.

    Raises `ModelFailed` if the backend fails for good or says nothing, `BudgetExhausted` if a limit came before any text, and
    `BudgetReserved` if other calls kept the rest of the budget reserved all the while.
    """
    abilities = model.abilities
    request = await fit_images(
        readable(request, model), abilities.longest_side, abilities.image_types
    )
    for again in count():
        try:
            return await _Call(run, node, model, speak).complete(request)
        except (ModelFailed, BudgetReserved) as error:
            if is_being_cancelled():  # an adapter that took a cancellation for a failure
                raise
            pause = _pause(run.call_policy, error, again)
            left = (node.scope or run.budget).seconds_left()
            if pause is None or (left is not None and left <= pause):
                raise
            run.emit(Noted(node.agent, f"{error} It is asked again in {pause:.1f} seconds."))
            node.progress.pause()
            await run.within_deadline(asyncio.sleep(pause), node.scope)
    raise AssertionError("unreachable")


def _pause(policy: CallPolicy, error: ModelFailed | BudgetReserved, again: int) -> float | None:
    """Seconds to wait before asking again; None if that does not help."""
    if isinstance(error, BudgetReserved):
        return policy.pause * 2**again if again < policy.retries_reserved else None
    passing = isinstance(error, RateLimited | ConnectionLost | StreamCut) or _may_pass(error.status)
    if not passing or again >= policy.retries:
        return None
    asked = error.retry_after if isinstance(error, RateLimited) else None
    pause = policy.pause * 2**again if asked is None else asked
    return pause if pause <= policy.longest_pause else None


def _may_pass(status: int | None) -> bool:
    """True for an HTTP status of a server, or of a gateway before it, that a later request may not meet."""
    return status in (408, 409, 425, 429) or (
        status is not None and 500 <= status < 600 and status not in (501, 505, 511)
    )


def readable(request: Request, model: Model) -> Request:
    """The request as the model can take it: its videos as images, unless it takes them whole."""
    return request if model.abilities.videos_in else request.as_images()


class _Call:
    """One call under way."""

    def __init__(self, run: RunContext, node: UsageNode, model: Model, speak: bool) -> None:
        self.run, self.node, self.model, self.speak = run, node, model, speak
        self.name = model.name
        self.budget = node.scope or run.budget
        self.silence = run.call_policy.silence
        self.deltas = DeltaTranslator(self.name, node.agent, speak, node.calls)
        self.usage = Usage(calls=1)
        self.parts: list[Part] = []
        self.images: list[Pictured] = []
        self.verified: Verified | None = None
        self.abstained = ""
        self.finish: Finish | None = None
        self.published = -math.inf
        self.prompt_tokens = 0
        """Estimated tokens of the prompt; 0 for a backend that reads no conversation."""
        self.reports_usage = False
        """True once the backend has reported usage."""

    async def complete(self, request: Request) -> ModelReply:
        """Make the call; its usage is booked however it ends."""
        self.prompt_tokens = (
            estimate_prompt_tokens(request) if self.model.abilities.conversation else 0
        )
        with await self._reserved(request) as held:
            limited = self._limited(request, held.granted)
            asked_for = request.max_tokens == self.run.request.max_tokens and _is_same(
                held.granted, self._wanted(request)
            )
            at_limit: FinishReason = "length" if asked_for else "budget"
            try:
                finish_reason = await self._consume(
                    limited, held.granted.tokens - self.prompt_tokens, at_limit
                )
            except asyncio.CancelledError:
                self._book_prompt()
                raise
            except BudgetExhausted:
                self._book_prompt()
                finish_reason = "budget"
                if not (
                    self.has_output
                    or (self.node.conclude_because and self.budget is not self.run.budget)
                ):
                    raise
            except MuseError:
                self._drop("its writer failed")
                raise
            except Exception as crash:  # an adapter's bug
                self._drop("its writer failed")
                raise ModelFailed(self.model.name, repr(crash)) from crash
            finally:
                self.node.progress.end_call()
                for event in self.deltas.close("its parent ended"):
                    self.run.emit(event)
                self._count_written()
                held.settle(Cost(tokens=self.usage.tokens, usd=self.usage.usd, calls=1))
                self.node.book(self.usage)
                self.run.publish_usage(self.node)
        if finish_reason == "cut" and not self.has_output:
            raise StreamCut(self.model.name)
        detail, stop = (self.finish.detail, self.finish.stop) if self.finish else ("", None)
        verified, by = (self.verified.ok, self.verified.by) if self.verified else (None, "")
        return ModelReply(
            message=self._message(),
            finish_reason=finish_reason,
            detail=detail,
            stop=stop,
            usage=self.usage,
            images=tuple(self.images),
            verified=verified,
            verified_by=by,
            abstained=self.abstained,
            spawns=self.model.abilities.native_spawn,
        )

    @property
    def has_output(self) -> bool:
        """True if there is any text or tool call."""
        return any(isinstance(part, Text | ToolCall) for part in self.parts)

    async def _consume(
        self, request: Request, writable: int, at_limit: FinishReason
    ) -> FinishReason:
        """Why the reply ended. At the budget's deadline the model's step is cancelled and `BudgetExhausted` raised."""
        budget = self.budget
        stream = self.model.stream(request)
        self.node.progress.begin_call(time.monotonic())
        left = budget.seconds_left()
        ends = math.inf if left is None else time.monotonic() + left
        async with aclosing(stream):
            with budget.alarm() as alarm:
                try:
                    async with asyncio.timeout(None) as alarm.timeout:
                        return await self._read(stream, alarm.timeout, ends, writable, at_limit)
                except TimeoutError:
                    if alarm.timeout is None or not alarm.timeout.expired():
                        raise
                    if budget.stopped or time.monotonic() > ends - _TICK:
                        raise budget.overdue() from None
                    self._book_prompt()
                    raise ModelFailed(
                        self.model.name, f"it was silent for {self.silence:g} seconds; ask again"
                    ) from None

    async def _read(
        self,
        stream: AsyncGenerator[Delta, None],
        patience: asyncio.Timeout,
        ends: float,
        writable: int,
        at_limit: FinishReason,
    ) -> FinishReason:
        armed = self._arm(patience, ends)
        async for delta in stream:
            if isinstance(delta, Finish):
                self.finish = delta
                return at_limit if delta.finish_reason == "length" else delta.finish_reason
            now = time.monotonic()
            self._handle(delta, now)
            if self.usage.tokens - self.usage.prompt_tokens > writable:
                return at_limit
            if self.run.is_behind:
                patience.reschedule(None)
                await self.run.backpressure()
                armed = now = self._arm(patience, ends)
                self.node.progress.resume(now)
            # The clock is read for every delta: a backend that computes without waiting never gives a timeout its turn. The
            # timeout is moved now and then only, for that costs more than a delta.
            if now >= ends or now - armed > self.silence / 100:
                armed = self._arm(patience, ends)
        return "cut"

    def _arm(self, patience: asyncio.Timeout, ends: float) -> float:
        """Set the timeout to expire after silence from now on; returns now. Raises `BudgetExhausted` after the deadline."""
        now = time.monotonic()
        if (
            now >= ends or self.budget.stopped
        ):  # moving a timeout that is about to expire would undo it
            raise self.budget.overdue()
        patience.reschedule(asyncio.get_running_loop().time() + min(ends - now, self.silence))
        return now

    def _handle(self, delta: Delta, now: float) -> None:
        event = self.deltas.event(delta)
        self.node.progress.hear(
            now, len(delta.text) if isinstance(delta, TextDelta | ThinkingDelta) else 0
        )
        match delta:
            case TextDelta():
                self.parts.append(Text(delta.text, self.name))
            case ThinkingDelta(agent="main"):
                self.parts.append(Thinking(delta.text, None, self.name))
            case TextBecameThought():
                self._turn_text(event)
                return
            case ToolCallDelta():
                self.parts.append(delta.call)
            case UsageDelta():
                self.reports_usage = True
                self.usage = (
                    delta.usage if delta.usage.calls == 1 else replace(delta.usage, calls=1)
                )
                self.node.set_running(self.usage)
        match event:
            case None:
                return
            case Spent():
                # A backend may count every token; of many agents a person reads a few numbers a second.
                if (
                    self.node is self.run.main
                    or time.monotonic() - self.published > BETWEEN_ACCOUNTS
                ):
                    self.published = time.monotonic()
                    self.run.publish_usage(self.node)
                return
            case Verified():
                self.verified = event
                if not self.speak:  # whether the run's answer is verified shows once there is one
                    return
            case Abstained():
                self.abstained = event.reason
                if not self.speak:
                    return
        sent = self.run.emit(event)
        if isinstance(sent, Pictured):
            self.images.append(sent)

    def _turn_text(self, dropped: Event | None) -> None:
        """Take all text so far for a thought; `dropped` takes it back from the run's answer, if it went there."""
        text = "".join(part.text for part in self.parts if isinstance(part, Text))
        self.parts = [
            Thinking(part.text, None, self.name) if isinstance(part, Text) else part
            for part in self.parts
        ]
        if dropped is not None:
            self.run.emit(dropped)
            self.run.emit(Thought(self.node.agent, text))

    def _book_prompt(self) -> None:
        """Book the estimated prompt of a call that was stopped before its backend reported any usage."""
        if self.reports_usage and not self.usage.tokens:
            read = self.prompt_tokens
            self.usage = Usage(
                tokens=read,
                prompt_tokens=read,
                usd=read * self.model.abilities.usd_per_prompt_token,
                calls=1,
            )

    def _count_written(self) -> None:
        """Add the estimated tokens that an unfinished reply wrote after the backend's last report. A model in this process counts
        every token itself."""
        if self.finish is not None or self.model.abilities.in_process:
            return
        characters = sum(len(part.text) for part in self.parts if isinstance(part, Text | Thinking))
        more = estimate_written_tokens(characters) - (self.usage.tokens - self.usage.prompt_tokens)
        if more > 0:
            self.usage = replace(
                self.usage,
                tokens=self.usage.tokens + more,
                critical_path=self.usage.critical_path + more,
                usd=self.usage.usd + more * self.model.abilities.usd_per_token,
            )

    def _drop(self, reason: str) -> None:
        if self.speak and self.has_output and self.run.answer:
            self.run.emit(AnswerDropped(reason))

    def _message(self) -> Message:
        if self.finish is not None and self.finish.message is not None:
            return self.finish.message
        return Message("assistant", join_parts(self.parts))

    def _wanted(self, request: Request) -> Cost:
        """The most that the call may cost."""
        abilities = self.model.abilities
        spawning = abilities.native_spawn and request.mode is Mode.CONTEMPLATING
        written = request.max_tokens or abilities.context * (1 + request.threads if spawning else 1)
        read = self.prompt_tokens
        usd = read * abilities.usd_per_prompt_token + written * abilities.usd_per_token
        return Cost(tokens=read + written, usd=usd, calls=1)

    async def _reserved(self, request: Request) -> Reservation:
        wanted, read = self._wanted(request), self.prompt_tokens
        abilities = self.model.abilities
        least = Cost(
            tokens=read + 1,
            usd=read * abilities.usd_per_prompt_token + abilities.usd_per_token,
            calls=1,
        )
        return await self.budget.acquire(wanted, at_least=least)

    def _limited(self, request: Request, granted: Cost) -> Request:
        """The request with as many tokens as were granted, in tokens and in money."""
        abilities, read = self.model.abilities, self.prompt_tokens
        tokens = granted.tokens - read
        # Money is kept in billionths, so the last digits of a float decide nothing.
        if abilities.usd_per_token and granted.usd < self._wanted(request).usd - _NANO_USD / 2:
            left = granted.usd - read * abilities.usd_per_prompt_token + _NANO_USD / 2
            tokens = min(tokens, int(left / abilities.usd_per_token))
        unbounded = (
            request.max_tokens is None
            and abilities.conversation
            and _is_same(granted, self._wanted(request))
        )
        return request if unbounded else replace(request, max_tokens=max(1, tokens))


def _is_same(granted: Cost, wanted: Cost) -> bool:
    """True if all was granted that was wanted, to a billionth of a dollar."""
    return (
        granted.tokens == wanted.tokens
        and granted.calls == wanted.calls
        and abs(granted.usd - wanted.usd) <= _NANO_USD / 2
    )
