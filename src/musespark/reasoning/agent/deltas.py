"""The translation of one call's deltas to events, without I/O: agents that a call runs, and the deltas that are allowed when.

An agent starts once, below an agent that runs, and ends once. A breach is the backend's mistake (`WrongShape`). A backend calls its
own first agent `main`; in the run it has the name of the agent that makes the call.
"""

from __future__ import annotations

import math

from musespark.errors import WrongShape
from musespark.events import (
    MAIN,
    Abstained,
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    AnswerDelta,
    AnswerDropped,
    Event,
    Pictured,
    Spent,
    Thought,
    Verified,
)
from musespark.models.model import (
    AbstainedDelta,
    ImageDelta,
    TextBecameThought,
    TextDelta,
    ThinkingDelta,
    ThreadCancelled,
    ThreadReturned,
    ThreadStarted,
    ToolCallDelta,
    UsageDelta,
    VerifiedDelta,
)


class DeltaTranslator:
    """The agents of one call."""

    def __init__(self, model: str, agent: str = MAIN, speak: bool = True, before: int = 0) -> None:
        """agent: the caller; speak: True if its text is the run's answer and not a thought; before: number of its earlier calls."""
        self._model, self._agent, self._speak = model, agent, speak
        self._again = f"#{before + 1}" if before else ""
        self._running = [MAIN]
        self._started = {MAIN}

    def event(self, delta: object) -> Event | None:
        """The event that a delta (any but `Finish`) means, if any; raises `WrongShape`."""
        if not isinstance(getattr(delta, "text", ""), str):
            raise self._wrong(f"the text of a {type(delta).__name__} is not a string")
        match delta:
            case TextDelta():
                return AnswerDelta(delta.text) if self._speak else Thought(self._agent, delta.text)
            case TextBecameThought():
                return AnswerDropped("it was a thought") if self._speak else None
            case ToolCallDelta():
                return None  # the user of the tool emits the event
            case ThinkingDelta():
                return Thought(self._live(delta.agent), delta.text)
            case ImageDelta():
                if not delta.image.startswith(b"\x89PNG"):
                    raise self._wrong("an image is not a PNG")
                return Pictured(
                    self._live(delta.agent), delta.image, delta.caption, delta.width, delta.height
                )
            case ThreadStarted():
                return self._start(delta)
            case ThreadReturned():
                return AgentReturned(self._end(delta.agent), delta.text)
            case ThreadCancelled():
                return AgentCancelled(self._end(delta.agent), delta.reason)
            case VerifiedDelta():
                return Verified(delta.ok, delta.by)
            case AbstainedDelta():
                return Abstained(delta.reason, delta.refused)
            case UsageDelta():
                usage = delta.usage
                if min(usage.tokens, usage.prompt_tokens, usage.usd) < 0:
                    raise self._wrong("it counted less than nothing")
                if not math.isfinite(usage.usd):
                    raise self._wrong("it counted money without end")
                return Spent(self._agent, delta.usage)
            case _:
                raise self._wrong(f"it sent a {type(delta).__name__} where a delta was due")

    def close(self, reason: str) -> list[Event]:
        """Cancel every spawned agent that still runs, children before parents."""
        spawned = [agent for agent in reversed(self._running) if agent != MAIN]
        self._running = [MAIN]
        return [AgentCancelled(self._named(agent), reason) for agent in spawned]

    def _start(self, delta: ThreadStarted) -> Event:
        if delta.agent in self._started:
            raise self._wrong(f"agent {delta.agent!r} started twice")
        parent = self._live(delta.parent)
        self._started.add(delta.agent)
        self._running.append(delta.agent)
        return AgentStarted(self._named(delta.agent), parent, delta.task, self._model)

    def _named(self, agent: str) -> str:
        """Name in the run of a backend's agent."""
        if agent == MAIN:
            return self._agent
        name = agent + self._again  # in a later call, a backend may reuse the names of its threads
        return name if self._agent == MAIN else f"{self._agent}/{name}"

    def _live(self, agent: str) -> str:
        if agent not in self._running:
            raise self._wrong(f"agent {agent!r} is not running")
        return self._named(agent)

    def _end(self, agent: str) -> str:
        if agent == MAIN:
            raise self._wrong("the first agent ends with the reply, not as a thread")
        named = self._live(agent)
        self._running.remove(agent)
        return named

    def _wrong(self, what: str) -> WrongShape:
        return WrongShape(self._model, what)
