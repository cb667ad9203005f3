"""What a run cost, agent by agent and stage by stage: the sum is the run's own to the token."""

from __future__ import annotations

from typing import Any

from musespark.events import (
    MAIN,
    Abstained,
    AgentStarted,
    AnswerDropped,
    Decided,
    Event,
    Pictured,
    RunEnded,
    RunStarted,
    Spent,
    StageStarted,
    Status,
    Verified,
)
from musespark.usage import Usage


class Breakdown:
    """Adds up events, in the order they came."""

    def __init__(self) -> None:
        self.images = 0
        self._run: RunStarted | None = None
        self._totals: dict[str, Usage] = {}
        """What each agent and all below it have used."""
        self._parents: dict[str, str | None] = {MAIN: None}
        self._stages: list[tuple[str, int, list[str]]] = []
        self._decided: Decided | None = None
        self._verified: Verified | None = None
        self._abstained: Abstained | None = None

    def happened(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case RunStarted():
                self._run = event
            case AgentStarted():
                self._parents[event.agent] = event.parent
                if self._stages and event.agent != MAIN:
                    self._stages[-1][2].append(event.agent)
            case Spent():
                self._totals[event.agent] = event.usage
            case StageStarted():
                self._stages.append((event.stage, event.round, []))
            case Decided():
                self._decided = event
            case Verified():
                self._verified, self._abstained = event, None
            case Abstained():
                self._verified, self._abstained = None, event
            case AnswerDropped():
                self._verified = self._abstained = None
            case Pictured():
                self.images += 1
            case RunEnded():
                self._totals[MAIN] = event.usage

    def block(self, links: str | None) -> dict[str, Any]:
        """The `muse` block of a reply. links: what the address of a picture begins with; None where none are kept."""
        own = self._own()
        abstained = self._abstained
        run, decided, verified = self._run, self._decided, self._verified
        return {
            "run": run.run if run else None,
            "mode": str(run.mode) if run else None,
            "model": run.model if run else None,
            "usage": amounts(self._totals.get(MAIN, Usage())) | _ways(self._totals.get(MAIN, Usage())),
            "agents": {agent: amounts(usage) for agent, usage in own.items()},
            "stages": [{"stage": stage, "round": round, "agents": agents,
                        **_added(own[agent] for agent in agents if agent in own)} for stage, round, agents in self._stages],
            "decided": {"by": decided.by, "winners": list(decided.winners), "reason": decided.reason} if decided else None,
            "status": self._status(),
            "abstained": abstained.reason if abstained else None,
            "verified": {"ok": verified.ok, "by": verified.by} if verified else None,
            "pictures": [] if links is None else [f"{links}{number}" for number in range(1, self.images + 1)],
        }

    def _status(self) -> Status:
        """Certainty of the answer."""
        if self._abstained:
            return "abstained"
        return "unchecked" if self._verified is None else "verified" if self._verified.ok else "refuted"

    def _own(self) -> dict[str, Usage]:
        """What each agent used by itself: what it was charged without what those below it were."""
        below: dict[str, Usage] = {}
        for agent, usage in self._totals.items():
            parent = self._charged(agent)
            if parent is not None:
                below[parent] = below.get(parent, Usage()) + usage
        return {agent: _less(usage, below.get(agent, Usage())) for agent, usage in self._totals.items()}

    def _charged(self, agent: str) -> str | None:
        """The agent whose account holds this one's."""
        if agent == MAIN:
            return None
        parent = self._parents.get(agent, MAIN)
        while parent is not None and parent not in self._totals:
            parent = self._parents.get(parent)
        return parent or MAIN


def amounts(usage: Usage) -> dict[str, Any]:
    """What was used, in tokens, calls and dollars."""
    return {"tokens": usage.tokens, "prompt_tokens": usage.prompt_tokens, "calls": usage.calls, "usd": round(usage.usd, 9)}


def _ways(usage: Usage) -> dict[str, Any]:
    return {"critical_path": usage.critical_path, "threads": usage.threads, "seconds": usage.seconds}


def _less(usage: Usage, below: Usage) -> Usage:
    return Usage(tokens=usage.tokens - below.tokens, prompt_tokens=usage.prompt_tokens - below.prompt_tokens,
                 calls=usage.calls - below.calls, usd=usage.usd - below.usd)


def _added(usages: Any) -> dict[str, Any]:
    return amounts(sum(usages, Usage()))
