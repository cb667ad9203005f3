"""An answer in the form that was asked for: JSON without the text around it, and asked for once more where there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from musespark.content import Message
from musespark.errors import BudgetExhausted, ModelFailed
from musespark.events import AnswerDelta, AnswerDropped, Noted
from musespark.reasoning.agent.model_call import call_model
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.consensus.equivalence import answer_in
from musespark.reasoning.context import RunContext
from musespark.reasoning.usage_node import UsageNode

_FENCED = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_OPENING = re.compile(r"[{\[]")
_MOST_STARTS = 200
"""Places in a text at which a JSON value is looked for."""
_AT_MOST = 400_000
"""Characters of a reply that are searched."""


async def in_form(
    run: RunContext,
    task: AgentTask,
    node: UsageNode,
    said: list[Message],
    attempt: Attempt,
    *,
    speak: bool = False,
) -> Attempt:
    """Return the attempt with its JSON alone; a reply that has none is asked for once more. One that still has none is unclear.

    said: what the agent added to the conversation. With `speak`, the text that replaces another streams as the run's answer.
    """
    if task.request.schema is None or attempt.calls or not attempt.text.strip():
        return attempt
    if attempt.finish_reason != "finished":
        return attempt
    found, reason = find_json(attempt.text, task)
    if found is None:
        run.emit(Noted(task.agent, f"Its reply is not in the form asked for ({reason})."))
        asked = replace(
            task.request,
            messages=(*task.request.messages, *said, Message.user(_asking(reason))),
            tools=(),
            tool_choice="auto",
        )
        try:
            reply = await call_model(run, node, task.model, asked)
        except (BudgetExhausted, ModelFailed):
            return replace(attempt, unclear=True, usage=node.total)
        found, _ = find_json(reply.message.text, task)
        attempt = replace(
            attempt,
            unclear=found is None,
            usage=node.total,
            answer_tokens=attempt.answer_tokens if found is None else reply.written_tokens,
            transcript=(*attempt.transcript, reply.message),
        )
    if found is None or found == attempt.text:
        return attempt
    if speak:
        run.emit(AnswerDropped("it stood in other text than the form that was asked for"))
        run.emit(AnswerDelta(found))
    return replace(attempt, text=found, answer=answer_in(found))


def _asking(reason: str) -> str:
    return (
        f"Your reply does not have the form that was asked for: {reason}. Reply with the JSON alone, in the form asked for, and "
        "with nothing before or after it."
    )


def find_json(text: str, task: AgentTask) -> tuple[str | None, str]:
    """Return the JSON value in a reply that has the form asked for, and else the reason why there is none."""
    reason = "it is not JSON"
    for candidate in candidates(text):
        told = task.fits(candidate) if task.fits is not None else ""
        if not told:
            return candidate, ""
        reason = told
    return None, reason


def candidates(text: str) -> Iterator[str]:
    """Yield JSON values of a text, the likeliest first: the whole, fenced blocks from the last, then the longest."""
    plain = text.strip()
    if _is_json(plain):
        yield text if text == plain else plain
        return
    plain = plain[-_AT_MOST:]
    for block in reversed(_FENCED.findall(plain)):
        if _is_json(block.strip()):
            yield block.strip()
    yield from sorted(_values(plain), key=len, reverse=True)


def _values(text: str) -> Iterator[str]:
    """Yield the objects and lists that stand in a text, without those within others."""
    decoder = json.JSONDecoder()
    end = 0
    for count, opening in enumerate(_OPENING.finditer(text)):
        if count >= _MOST_STARTS:
            return
        if opening.start() < end:
            continue
        try:
            _, end = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            continue
        yield text[opening.start() : end]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
