"""Ends of conversations that lead nowhere: empty replies, calls of tools that are not there, the same call again and again.

Each gets one reminder; after that, the agent stops instead of spending the rest of its replies.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from musespark.content import Message, Request, Text, Thinking, ToolCall, ToolResult
from musespark.reasoning.agent.reply import ModelReply

SAME_RESULT, SAME_CALL = 3, 6
"""Times that an agent makes the same call until it is reminded: with the same result each time, and with any."""
REPEATED = "You have made this call before, with this result. Do not make it again: answer now, with what you have."
NO_ANSWER = "Your reply had no answer. Give your answer now."


def is_empty(reply: ModelReply, request: Request) -> bool:
    """True for a reply that ended as usual and says nothing. A text to stop at may leave nothing, and a filter says so."""
    return (
        reply.finish_reason == "finished"
        and not reply.calls
        and not reply.message.text.strip()
        and not (reply.images or reply.message.images)
        and not (reply.abstained or reply.detail or request.stop)
        and reply.stop is None
    )


def ask_for_answer(reply: ModelReply) -> list[Message]:
    """Return the messages in place of a reply that says nothing: its thoughts and the question for an answer; none if it has no
    thoughts, for then it is asked the same again."""
    thoughts = "".join(part.text for part in reply.message.parts if isinstance(part, Thinking))
    if not thoughts.strip():
        return []
    return [Message("assistant", (Text(thoughts),)), Message.user(NO_ANSWER)]


class LoopGuard:
    """Watches the replies of one agent."""

    def __init__(self, tools: Collection[str]) -> None:
        """tools: names of the tools that are there."""
        self._tools = tools
        self._empty = 0
        self._unknown = 0
        self._calls: Counter[str] = Counter()
        self._results: Counter[tuple[str, str]] = Counter()
        self._reminded = False
        self.reason = ""
        """Why the agent stops, as a clause; empty while it may go on."""

    def allows_empty(self) -> bool:
        """True if an empty reply is asked again; it is the first."""
        self._empty += 1
        if self._empty > 1:
            self.reason = "its reply was empty, and again when it was asked once more"
        return self._empty == 1

    def allows(self, calls: Sequence[ToolCall]) -> bool:
        """True if calls are made, and their results shown to the model."""
        unknown = [call.name for call in calls if call.name not in self._tools]
        self._unknown += bool(calls) and len(unknown) == len(calls)
        if self._unknown > 1:
            named = (unknown or [calls[0].name])[0][:60]
            self.reason = f"it called {named!r} after it was told that there is no such tool"
        elif self._reminded and any(self._calls[_key(call)] for call in calls):
            self.reason = f"it called {calls[0].name!r} over and over with the same arguments"
        return not self.reason

    def remind(self, calls: Sequence[ToolCall], results: Message) -> Message:
        """Remember calls and their results; returns the results, with a reminder if the same call was made too often."""
        found = {part.call_id: part for part in results.parts if isinstance(part, ToolResult)}
        for call in calls:
            key = _key(call)
            told = "".join(part.text for part in found[call.id].content if isinstance(part, Text))
            self._calls[key] += 1
            self._results[key, told] += 1
            if self._results[key, told] >= SAME_RESULT or self._calls[key] >= SAME_CALL:
                self._reminded = True
        if not self._reminded:
            return results
        *others, last = results.parts
        assert isinstance(last, ToolResult)
        return replace(
            results, parts=(*others, replace(last, content=(*last.content, Text(f"\n{REPEATED}"))))
        )

    @property
    def wants_answer(self) -> bool:
        """True once the agent was reminded: it is asked without tools."""
        return self._reminded


def _key(call: ToolCall) -> str:
    """Name and arguments of a call, however they are written."""
    try:
        arguments = json.dumps(json.loads(call.arguments), sort_keys=True)
    except (ValueError, RecursionError):
        arguments = call.arguments.strip()
    return f"{call.name} {arguments}"
