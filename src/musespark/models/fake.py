"""A fake model that plays a script, with misbehaviour on command, for tests.

FakeModel("team")                                     a script of this file, by name
FakeModel([TextDelta("4"), Finish()])                 a script of your own
FakeModel([TextDelta("The ans"), Fail(500, "overloaded")])
FakeModel(lambda request, number: ...)                a script for each request, by its number from 0
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from musespark.content import Request
from musespark.errors import ModelFailed, UnknownModel
from musespark.models.model import (
    Abilities,
    Delta,
    Finish,
    ImageDelta,
    TextDelta,
    ThinkingDelta,
    ThreadReturned,
    ThreadStarted,
    UsageDelta,
    VerifiedDelta,
)
from musespark.usage import Usage


@dataclass(frozen=True, slots=True)
class Wait:
    """Sleep for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Wait forever; only closing or cancelling the stream ends it."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Raise `ModelFailed`, as an adapter does on a remote error."""

    status: int | None = None
    reason: str = "it was told to fail"


@dataclass(frozen=True, slots=True)
class Crash:
    """Raise an untyped error, which no backend should."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Garbage:
    """Send something that is not a delta."""

    value: Any = None


Step: TypeAlias = Delta | Wait | Hang | Fail | Crash | Garbage

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
)
"""A white image of one pixel, as PNG."""

_ANSWER: tuple[Step, ...] = (
    ThinkingDelta("Let me see."),
    TextDelta("4"),
    TextDelta("2"),
    VerifiedDelta(True, "the script"),
    UsageDelta(Usage(tokens=5, critical_path=5)),
    Finish(),
)

_TEAM: tuple[Step, ...] = (
    ThinkingDelta("Two ways."),
    ThreadStarted("a", "main", "the first way"),
    ThreadStarted("b", "main", "the second way"),
    ThinkingDelta("no luck", "a"),
    ImageDelta(DOT, 1, 1, "what b imagines", "b"),
    ThreadReturned("a", "nothing"),
    ThreadReturned("b", "42"),
    *_ANSWER[1:4],
    UsageDelta(Usage(tokens=20, critical_path=9, threads=2)),
    Finish(),
)

SCRIPTS: Mapping[str, tuple[Step, ...]] = {
    "answer": _ANSWER,
    "team": _TEAM,
    "slow": tuple(step for delta in _TEAM for step in (Wait(0.2), delta)),
    "hang": (*_TEAM[:4], TextDelta("4"), Hang()),
    "error": (*_TEAM[:4], Fail(500, "the script says so")),
    "cut": _TEAM[:8],
    "silent": (),
    "wrong-shape": (*_TEAM[:4], Garbage({"text": "4"})),
    "stray": (ThinkingDelta("who am I?", "nobody"), Finish()),
    "crash": (*_TEAM[:4], Crash(ZeroDivisionError("division by zero"))),
}
"""Scripts by name, most of them misbehaving."""


Script: TypeAlias = Callable[[Request, int], Iterable[Step]]
"""Function that gives the steps for a request and its number from 0."""


def _always(script: tuple[Step, ...]) -> Script:
    return lambda request, number: script


class FakeModel:
    """Plays a script for every request, and records its requests and open streams."""

    def __init__(
        self,
        script: str | Iterable[Step] | Script = "answer",
        *,
        name: str = "fake",
        abilities: Abilities | None = None,
    ) -> None:
        if isinstance(script, str) and script not in SCRIPTS:
            raise UnknownModel(f"fake:{script}", (f"fake:{known}" for known in SCRIPTS))
        self._script = (
            script
            if callable(script)
            else _always(SCRIPTS[script] if isinstance(script, str) else tuple(script))
        )
        self.name = name
        self.abilities = abilities or Abilities(
            pictures_in=True, pictures_out=True, tools=True, native_spawn=True
        )
        self.requests: list[Request] = []
        """Requests it received, in order."""
        self.running = 0
        """Number of open streams; anything but 0 after a test is a leak."""

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Play the script: yield its deltas, perform its other steps."""
        number = len(self.requests)
        self.requests.append(request)
        self.running += 1
        try:
            for step in self._script(request, number):
                match step:
                    case Wait():
                        await asyncio.sleep(step.seconds)
                    case Hang():
                        await asyncio.get_running_loop().create_future()
                    case Fail():
                        raise ModelFailed(self.name, step.reason, step.status)
                    case Crash():
                        raise step.error
                    case Garbage():
                        yield cast(Delta, step.value)
                    case _:
                        # A real backend yields to the event loop between two deltas, so that a cancellation can reach it.
                        await asyncio.sleep(0)
                        yield step
        finally:
            self.running -= 1
