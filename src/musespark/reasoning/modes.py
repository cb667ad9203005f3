"""One run: a request goes down to a model, its deltas come back up as events.

A native model reads the mode from the request and does the rest within one call, in all three modes.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from musespark.answer import fold
from musespark.budget import Budget, Cost
from musespark.content import Mode, Request
from musespark.errors import BeyondModel, BudgetExhausted, ModelFailed, MuseError, StreamCut
from musespark.events import (
    MAIN,
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    AnswerDelta,
    Event,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    Stamper,
    Why,
)
from musespark.models.model import Delta, Finish, Model
from musespark.reasoning.lanes import Lanes
from musespark.usage import Usage


async def run(model: Model, request: Request, budget: Budget | None = None) -> AsyncGenerator[Event, None]:
    """Answer a request, as a stream of events.

    When a token limit, the budget or the reply ends early, the best answer so far comes back marked (`RunEnded.why`).
    Raises `BeyondModel` and `BudgetExhausted` before the first event; after a `RunFailed` whatever `MuseError` the model raises,
    and `ModelFailed` for anything else.
    Closing or cancelling the stream closes the model's; what was spent until then is booked.
    """
    _require_able(model, request)
    budget = budget or Budget()
    wanted = request.max_tokens or model.abilities.context * (1 + request.threads)
    record = _Record(model)
    with budget.reserve(Cost(tokens=wanted, calls=1), at_least=Cost(tokens=1, calls=1)) as held:
        granted = held.granted.tokens
        at_limit: Why = "budget" if granted < wanted else "length"
        yield record.add(RunStarted(uuid.uuid4().hex, request.mode, model.name, request.question))
        yield record.add(AgentStarted(MAIN, None, request.question))
        why: Why = "cut"
        reason = ""
        try:
            stream = model.stream(replace(request, max_tokens=granted))
            async with aclosing(stream), aclosing(_in_time(stream, budget)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Finish):
                        why, reason = at_limit if delta.why == "length" else delta.why, delta.reason
                        break
                    yield record.add(record.lanes.event(delta))
                    if record.usage.tokens > granted:
                        why = at_limit
                        break
            if why == "cut" and not record.answered:
                raise StreamCut(model.name)
        except BudgetExhausted:
            why = "budget"
        except MuseError as error:
            for event in record.failed(error):
                yield event
            raise
        except Exception as crash:  # an adapter's bug; the person still gets a typed error and the whole story
            failure = ModelFailed(model.name, repr(crash))
            for event in record.failed(failure):
                yield event
            raise failure from crash
        finally:
            held.settle(Cost(tokens=record.usage.tokens, usd=record.usage.usd, calls=1))
        for event in record.ended(why, reason):
            yield event


async def _in_time(deltas: AsyncGenerator[Delta, None], budget: Budget) -> AsyncGenerator[Delta, None]:
    """The same deltas until the budget's deadline; then cancels the model's step and raises `BudgetExhausted`."""
    while True:
        # The clock is read for every delta: a backend that computes without waiting never gives a timeout its turn.
        seconds = budget.seconds_left()
        if seconds == 0:
            raise BudgetExhausted("seconds", 0)
        try:
            async with asyncio.timeout(seconds) as timeout:
                delta = await anext(deltas)
        except StopAsyncIteration:
            return
        except TimeoutError:
            if timeout.expired():
                raise BudgetExhausted("seconds", 0) from None
            raise
        yield delta


def _require_able(model: Model, request: Request) -> None:
    if request.images and not model.abilities.pictures_in:
        raise BeyondModel(model.name, "read pictures", "ask without one or choose another model")
    if request.mode is Mode.CONTEMPLATING and not model.abilities.native_spawn:
        raise BeyondModel(model.name, "contemplate by itself", "choose the mode thinking or another model")


class _Record:
    """What has happened in a run, and how it closes."""

    def __init__(self, model: Model) -> None:
        self.lanes = Lanes(model.name)
        self.usage = Usage()
        self.answered = False
        self._stamp = Stamper()
        self._events: list[Event] = []

    def add(self, event: Event) -> Event:
        """The event, stamped and remembered."""
        event = self._stamp(event)
        self._events.append(event)
        self.usage = event.usage if isinstance(event, Spent) else self.usage
        self.answered = self.answered or isinstance(event, AnswerDelta)
        return event

    def ended(self, why: Why, reason: str) -> list[Event]:
        """The closing events of a run with an answer."""
        answer = fold(self._events)
        pictures = tuple(picture.seq for picture in answer.pictures)
        cancelled = [self.add(event) for event in self.lanes.close(why)]
        returned = self.add(AgentReturned(MAIN, answer.answer))
        # Seconds are measured here, for every backend alike: what the person waited.
        usage = replace(self.usage, seconds=returned.at, threads=self.lanes.spawned)
        return [*cancelled, returned, self.add(RunEnded(answer.answer, answer.verified, usage, pictures, why, reason))]

    def failed(self, error: MuseError) -> list[Event]:
        """The closing events of a run without one."""
        cancelled = [self.add(event) for event in self.lanes.close("the run failed")]
        return [*cancelled, self.add(AgentCancelled(MAIN, "the run failed")),
                self.add(RunFailed(type(error).__name__, str(error)))]
