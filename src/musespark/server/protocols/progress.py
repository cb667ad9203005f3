"""What a team does, in a line an event, for people who wait for its answer."""

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

_MOST = 160
"""Characters of somebody's words in a line."""


def line(event: Event) -> str:
    """What to say of an event; nothing for most of them."""
    match event:
        case AgentStarted(agent=agent, task=task) if agent != MAIN:
            return f"{agent} starts: {short(task)}"
        case AgentReturned(agent=agent, text=text) if agent != MAIN:
            return f"{agent} answers: {short(text)}"
        case AgentCancelled(agent=agent, reason=reason) if agent != MAIN:
            return f"{agent} is stopped: {short(reason)}"
        case AgentFailed(agent=agent, message=message):
            return f"{agent} failed: {short(message)}"
        case Noted(agent=agent, text=text):
            return f"{agent}: {short(text)}"
        case ToolCalled(agent=agent, tool=tool):
            return f"{agent} uses {tool}"
        case Pictured(agent=agent, caption=caption):
            return f"{agent} draws {short(caption) or 'a picture'}"
        case StageStarted(stage="refine", round=round):
            return f"Round {round}: they see each other's answers."
        case Agreed(groups=groups, answers=answers) if groups:
            return _agreed(event, len(groups[0]), sum(map(len, groups)), answers[0] if answers else "")
        case Changed(agent=agent, before=before, after=after, kept=kept):
            return f"{agent} keeps {short(before)}" if kept else f"{agent} changes {short(before)} to {short(after)}"
        case Judged(winner=winner, loser=loser, reason=reason) if winner:
            return f"The judge prefers {winner} to {loser}: {short(reason)}"
        case Decided(by=by, reason=reason):
            return f"Decided by {by}: {short(reason)}"
        case _:
            return ""


def _agreed(event: Agreed, leading: int, answers: int, said: str) -> str:
    enough = f" Enough: {short(event.reason)}" if event.enough else ""
    return f"{leading} of {answers} say {short(said)}.{enough}"


def short(text: str) -> str:
    """One line of somebody's words: of a long text its end, where the conclusion is."""
    words = " ".join(text.split())
    return words if len(words) <= _MOST else "…" + words[1 - _MOST:]
