"""Attempts for tests."""

from __future__ import annotations

from musespark.content import ToolCall
from musespark.reasoning.attempt import Attempt


def attempt(
    answer: str,
    agent: str = "a",
    model: str = "m",
    *,
    text: str | None = None,
    calls: tuple[ToolCall, ...] = (),
    verified: bool | None = None,
) -> Attempt:
    return Attempt(
        agent=agent,
        model=model,
        text=answer if text is None else text,
        answer=answer,
        calls=calls,
        verified=verified,
    )
