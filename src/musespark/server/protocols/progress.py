"""Progress of a team for readers who wait for its answer: one line per event."""

from __future__ import annotations

from musespark.events import (
    MAIN,
    AgentCancelled,
    AgentFailed,
    AgentReturned,
    AgentStarted,
    Agreed,
    Changed,
    Decided,
    Event,
    Judged,
    Noted,
    Pictured,
    StageStarted,
    ToolCalled,
)

_MAX_QUOTE = 160
"""Characters of a quoted text in a line."""


def progress_line(event: Event) -> str:
    """Describe an event in a line; empty for most of them."""
    match event:
        case AgentStarted(agent=agent, task=task) if agent != MAIN:
            return f"{agent} starts: {quote(task)}"
        case AgentReturned(agent=agent, text=text) if agent != MAIN:
            return f"{agent} answers: {quote(text)}"
        case AgentCancelled(agent=agent, reason=reason) if agent != MAIN:
            return f"{agent} is stopped: {quote(reason)}"
        case AgentFailed(agent=agent, message=message):
            return f"{agent} failed: {quote(message)}"
        case Noted(agent=agent, text=text):
            return f"{agent}: {quote(text)}"
        case ToolCalled(agent=agent, tool=tool):
            return f"{agent} uses {tool}"
        case Pictured(agent=agent, caption=caption):
            return f"{agent} draws {quote(caption) or 'an image'}"
        case StageStarted(stage="refine", round=round):
            return f"Round {round}: they see each other's answers."
        case Agreed(groups=groups, answers=answers) if groups:
            return _agreed(
                event, len(groups[0]), sum(map(len, groups)), answers[0] if answers else ""
            )
        case Changed(agent=agent, before=before, after=after, kept=kept):
            return (
                f"{agent} keeps {quote(before)}"
                if kept
                else f"{agent} changes {quote(before)} to {quote(after)}"
            )
        case Judged(winner=winner, loser=loser, reason=reason) if winner:
            return f"The judge prefers {winner} to {loser}: {quote(reason)}"
        case Decided(by=by, reason=reason):
            return f"Decided by {by}: {quote(reason)}"
        case _:
            return ""


def _agreed(event: Agreed, leading: int, answers: int, answer: str) -> str:
    enough = f" Enough: {quote(event.reason)}" if event.enough else ""
    return f"{leading} of {answers} say {quote(answer)}.{enough}"


def quote(text: str) -> str:
    """Quote a text in one line: of a long text its end, which holds the conclusion."""
    words = " ".join(text.split())
    return words if len(words) <= _MAX_QUOTE else "…" + words[1 - _MAX_QUOTE :]
