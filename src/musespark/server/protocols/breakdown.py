"""Cost of a run by agent and by stage; the sum equals the run's own usage to the token."""

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
    """Sum of a run's events, added in their order."""

    def __init__(self) -> None:
        self.images = 0
        self._run: RunStarted | None = None
        self._totals: dict[str, Usage] = {}
        """Usage of each agent, including the agents below it."""
        self._parents: dict[str, str | None] = {MAIN: None}
        self._stages: list[tuple[str, int, list[str]]] = []
        self._decided: Decided | None = None
        self._verified: Verified | None = None
        self._abstained: Abstained | None = None

    def add(self, event: Event) -> None:
        """Add the next event."""
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
        """Return the `muse` block of a reply. links: start of the addresses of images; None if they are not stored."""
        own = self._own()
        abstained = self._abstained
        run, decided, verified = self._run, self._decided, self._verified
        return {
            "run": run.run if run else None,
            "mode": str(run.mode) if run else None,
            "model": run.model if run else None,
            "usage": usage_json(self._totals.get(MAIN, Usage()))
            | _path_json(self._totals.get(MAIN, Usage())),
            "agents": {agent: usage_json(usage) for agent, usage in own.items()},
            "stages": [
                {
                    "stage": stage,
                    "round": round,
                    "agents": agents,
                    **_sum_json(own[agent] for agent in agents if agent in own),
                }
                for stage, round, agents in self._stages
            ],
            "decided": {
                "by": decided.by,
                "winners": list(decided.winners),
                "reason": decided.reason,
            }
            if decided
            else None,
            "status": self._status(),
            "abstained": abstained.reason if abstained else None,
            "verified": {"ok": verified.ok, "by": verified.by} if verified else None,
            "pictures": []
            if links is None
            else [f"{links}{number}" for number in range(1, self.images + 1)],
        }

    def _status(self) -> Status:
        """Return how certain the answer is."""
        if self._abstained:
            return "abstained"
        return (
            "unchecked"
            if self._verified is None
            else "verified"
            if self._verified.ok
            else "refuted"
        )

    def _own(self) -> dict[str, Usage]:
        """Return the usage of each agent by itself, without that of the agents below it."""
        below: dict[str, Usage] = {}
        for agent, usage in self._totals.items():
            parent = self._account_of(agent)
            if parent is not None:
                below[parent] = below.get(parent, Usage()) + usage
        return {
            agent: _subtract(usage, below.get(agent, Usage()))
            for agent, usage in self._totals.items()
        }

    def _account_of(self, agent: str) -> str | None:
        """Return the agent whose usage includes this one's."""
        if agent == MAIN:
            return None
        parent = self._parents.get(agent, MAIN)
        while parent is not None and parent not in self._totals:
            parent = self._parents.get(parent)
        return parent or MAIN


def usage_json(usage: Usage) -> dict[str, Any]:
    """Return usage as JSON: tokens, calls and dollars."""
    return {
        "tokens": usage.tokens,
        "prompt_tokens": usage.prompt_tokens,
        "calls": usage.calls,
        "usd": round(usage.usd, 9),
    }


def _path_json(usage: Usage) -> dict[str, Any]:
    return {
        "critical_path": usage.critical_path,
        "threads": usage.threads,
        "seconds": usage.seconds,
    }


def _subtract(usage: Usage, below: Usage) -> Usage:
    return Usage(
        tokens=usage.tokens - below.tokens,
        prompt_tokens=usage.prompt_tokens - below.prompt_tokens,
        calls=usage.calls - below.calls,
        usd=usage.usd - below.usd,
    )


def _sum_json(usages: Any) -> dict[str, Any]:
    return usage_json(sum(usages, Usage()))
