"""A last call for an agent that thought without reaching an answer: it answers with what it has, within a small token budget.

After budget forcing (Muennighoff et al., s1: Simple test-time scaling, 2025): a model that must answer now makes use of its
thoughts so far.
"""

from __future__ import annotations

from dataclasses import replace

from musespark.content import Effort, Message, Request, Text, Thinking, ToolCall, ToolResult
from musespark.models.model import Model

TOKENS = 64
"""Tokens of a conclusion; four times as many if the answer must follow a schema."""
_THOUGHTS = 12_000
"""Characters of shown reasoning that a model is given back: its end."""
NO_TIME = "There is no time left to think. Give your best final answer now, in one short line: `Answer: <the answer>`"
NO_TIME_FOR_FORM = "There is no time left to think. Give your best final answer now, in the form that was asked for."
ONLY_THE_ANSWER = "So what is the answer? Reply with only the answer, without any explanation."


def conclusion_request(request: Request, model: Model, said: list[Message], asking: str) -> Request:
    """The request for an answer without further thought.

    said: what the agent added to the conversation; its last reply may have broken off, with tools that it called and nothing ran.
    """
    abilities = model.abilities
    effort = Effort.NONE if abilities.effort and request.effort is not None else request.effort
    tokens = 4 * TOKENS if request.schema else TOKENS
    return replace(
        request,
        stage="conclude",
        messages=(*request.messages, *_settled(said), Message.user(asking)),
        tools=(),
        tool_choice="auto",
        max_tokens=min(tokens, request.max_tokens or tokens),
        effort=effort,
        stop=(),
        temperature=0.0
        if abilities.temperature and effort in (None, Effort.NONE)
        else request.temperature,
    )


def _settled(said: list[Message]) -> list[Message]:
    """The conversation without loose ends: reasoning that broke off as text, and every call with a result."""
    if not said or said[-1].role != "assistant":
        return said
    *before, last = said
    calls = tuple(part for part in last.parts if isinstance(part, ToolCall))
    if calls:
        return [
            *said,
            Message(
                "tool", tuple(ToolResult(call.id, (Text("Interrupted."),), True) for call in calls)
            ),
        ]
    thoughts = "".join(part.text for part in last.parts if isinstance(part, Thinking))[-_THOUGHTS:]
    text = "\n\n".join(each for each in (thoughts, last.text) if each.strip())
    return [*before, Message("assistant", (Text(text),))] if text else before
