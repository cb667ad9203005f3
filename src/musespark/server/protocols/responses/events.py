"""Events of OpenAI's Responses: output items one after the other, each closed before the next."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from typing import Any

from musespark.content import ToolCall
from musespark.server.errors import ErrorReply
from musespark.server.protocols.base import Chunk, ChunkEncoder
from musespark.server.protocols.encoder import (
    EndPiece,
    ImagePiece,
    ReasoningPiece,
    RefusalPiece,
    ReplyPiece,
    SignaturePiece,
    TextPiece,
    ToolCallPiece,
)
from musespark.server.protocols.tools import custom_input, form_of
from musespark.server.resolve.parsed_request import ToolForm

_SHORT = {
    "reasoning": "rs",
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "image_generation_call": "ig",
}
_GROUPS = {"custom_tool_call": "function_call"}
"""Kinds of items that are numbered as others: a stored response knows all calls as those of functions."""


class ResponsesEventEncoder(ChunkEncoder):
    """Encoder of one response; its events are numbered from 0."""

    def __init__(
        self,
        run: str,
        prefix: str,
        head: dict[str, Any],
        include_signatures: bool = False,
        forms: Mapping[str, ToolForm] | None = None,
    ) -> None:
        """head: fields of the response from its start. include_signatures: add what the provider wants back.

        forms: forms of tools that are no plain functions.
        """
        self._forms = forms or {}
        self._run, self._include_signatures = run, include_signatures
        self._head = {
            "id": f"{prefix}{run}",
            "object": "response",
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "usage": None,
            **head,
        }
        self._number = 0
        self._numbers: Counter[str] = Counter()
        """Numbers of items so far: each kind has its own, for what else a response has depends on its request."""
        self._output: list[dict[str, Any]] = []
        """Items, the open one last."""
        self._open = ""
        """Type of the open item; empty if none is open."""
        self._text = ""
        """Text of the open item so far."""

    def start(self) -> list[Chunk]:
        """Return the events that open the response."""
        return [
            self._event("response.created", response=self._response("in_progress")),
            self._event("response.in_progress", response=self._response("in_progress")),
        ]

    def encode(self, piece: ReplyPiece) -> list[Chunk]:
        """Return the events of a piece."""
        match piece:
            case ReasoningPiece():
                return [
                    *self._in("reasoning"),
                    self._delta(
                        "response.reasoning_summary_text.delta", piece.text, summary_index=0
                    ),
                ]
            case TextPiece():
                return [
                    *self._in("message"),
                    self._delta(
                        "response.output_text.delta", piece.text, content_index=0, logprobs=[]
                    ),
                ]
            case RefusalPiece():
                return [
                    *self._in("refusal"),
                    self._delta("response.refusal.delta", piece.text, content_index=0),
                ]
            case ImagePiece():
                return [*self._close(), *self._image(piece)]
            case SignaturePiece():
                if not self._include_signatures:
                    return []
                item = {
                    "type": "reasoning",
                    "summary": [],
                    "status": "completed",
                    "encrypted_content": piece.packed,
                }
                return [*self._close(), self._add(item), self._done()]
            case ToolCallPiece():
                return [*self._close(), *self._call(piece)]
            case EndPiece():
                return [*self._close(), self._end(piece)]

    def encode_error(self, reply: ErrorReply) -> list[Chunk]:
        """Return the events of a failed response; its output so far stays in it."""
        code = "rate_limit_exceeded" if reply.status == 429 else "server_error"
        closed = self._close(is_complete=False)
        error = {"code": code, "message": reply.message}
        return [
            *closed,
            self._event("response.failed", response=self._response("failed") | {"error": error}),
        ]

    def _end(self, end: EndPiece) -> Chunk:
        own, (read, written) = end.own, end.besides
        team_read, team_wrote = (
            ({"team_tokens": read}, {"team_tokens": written}) if read or written else ({}, {})
        )
        usage = {
            "input_tokens": own.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, **team_read},
            "output_tokens": own.tokens - own.prompt_tokens,
            "output_tokens_details": {"reasoning_tokens": 0, **team_wrote},
            "total_tokens": own.tokens,
        }
        is_refused = end.finish_reason == "refused" and end.has_refusal
        is_complete = end.has_calls or end.finish_reason == "finished" or is_refused
        response = self._response("completed" if is_complete else "incomplete") | {
            "usage": usage,
            "muse": end.muse,
        }
        if is_complete:
            response["completed_at"] = self._head["created_at"] + round(end.usage.seconds)
        else:
            is_filtered = end.finish_reason in ("filtered", "refused")
            response["incomplete_details"] = {
                "reason": "content_filter" if is_filtered else "max_output_tokens"
            }
        return self._event(
            "response.completed" if is_complete else "response.incomplete", response=response
        )

    def snapshot(self, status: str) -> dict[str, Any]:
        """Close the open item and return the response so far."""
        self._close(is_complete=False)
        return self._response(status)

    def _response(self, status: str) -> dict[str, Any]:
        return {**self._head, "status": status, "output": list(self._output)}

    def _event(self, kind: str, **values: Any) -> Chunk:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **values}

    def _delta(self, kind: str, text: str, **values: Any) -> Chunk:
        self._text += text
        return self._event(kind, **self._position, **values, delta=text)

    @property
    def _position(self) -> dict[str, Any]:
        """Id and index of the last item."""
        return {"item_id": self._output[-1]["id"], "output_index": len(self._output) - 1}

    def _add(self, item: dict[str, Any]) -> Chunk:
        group = (
            "signature" if "encrypted_content" in item else _GROUPS.get(item["type"], item["type"])
        )
        number = self._numbers[group]
        self._numbers[group] += 1
        short = "rse" if group == "signature" else _SHORT[item["type"]]
        self._output.append({"id": f"{short}_{self._run}_{number}", **item})
        return self._event(
            "response.output_item.added",
            output_index=len(self._output) - 1,
            item=dict(self._output[-1]),
        )

    def _done(self, **values: Any) -> Chunk:
        self._output[-1] |= values
        return self._event(
            "response.output_item.done",
            output_index=len(self._output) - 1,
            item=dict(self._output[-1]),
        )

    # Reasoning and text are written piece by piece.

    def _in(self, kind: str) -> list[Chunk]:
        """Open an item of that type, unless it is open."""
        if self._open == kind:
            return []
        closed = self._close()
        self._open, self._text = kind, ""
        if kind == "reasoning":
            return [
                *closed,
                self._add({"type": kind, "summary": [], "status": "in_progress"}),
                self._event(
                    "response.reasoning_summary_part.added",
                    **self._position,
                    summary_index=0,
                    part=_summary(""),
                ),
            ]
        return [
            *closed,
            self._add(
                {"type": "message", "role": "assistant", "status": "in_progress", "content": []}
            ),
            self._event(
                "response.content_part.added",
                **self._position,
                content_index=0,
                part=_refusal("") if kind == "refusal" else _content(""),
            ),
        ]

    def _close(self, is_complete: bool = True) -> list[Chunk]:
        kind, text, self._open = self._open, self._text, ""
        status = "completed" if is_complete else "incomplete"
        if kind == "reasoning":
            return [
                self._event(
                    "response.reasoning_summary_text.done",
                    **self._position,
                    summary_index=0,
                    text=text,
                ),
                self._event(
                    "response.reasoning_summary_part.done",
                    **self._position,
                    summary_index=0,
                    part=_summary(text),
                ),
                self._done(summary=[_summary(text)], status=status),
            ]
        if kind == "message":
            return [
                self._event(
                    "response.output_text.done",
                    **self._position,
                    content_index=0,
                    text=text,
                    logprobs=[],
                ),
                self._event(
                    "response.content_part.done",
                    **self._position,
                    content_index=0,
                    part=_content(text),
                ),
                self._done(content=[_content(text)], status=status),
            ]
        if kind == "refusal":
            place = {**self._position, "content_index": 0}
            return [
                self._event("response.refusal.done", **place, refusal=text),
                self._event("response.content_part.done", **place, part=_refusal(text)),
                self._done(content=[_refusal(text)], status=status),
            ]
        return []

    # Images and calls come whole.

    def _image(self, image: ImagePiece) -> list[Chunk]:
        added = self._add(
            {"type": "image_generation_call", "status": "in_progress", "result": None}
        )
        steps = [
            self._event(f"response.image_generation_call.{step}", **self._position)
            for step in ("in_progress", "generating")
        ]
        done = self._event("response.image_generation_call.completed", **self._position)
        return [
            added,
            *steps,
            done,
            self._done(
                status="completed",
                result=base64.b64encode(image.png).decode("ascii"),
                output_format="png",
                revised_prompt=image.caption,
                size=f"{image.width}x{image.height}",
            ),
        ]

    def _call(self, piece: ToolCallPiece) -> list[Chunk]:
        call, form = piece.call, form_of(self._forms, piece.call)
        space = {"namespace": form.namespace} if form.namespace else {}
        if form.is_custom:
            return self._custom_call(call, {"name": form.name, **space})
        added = self._add(
            {
                "type": "function_call",
                "call_id": call.id,
                "name": form.name,
                **space,
                "arguments": "",
                "status": "in_progress",
            }
        )
        return [
            added,
            self._event(
                "response.function_call_arguments.delta", **self._position, delta=call.arguments
            ),
            self._event(
                "response.function_call_arguments.done",
                **self._position,
                name=form.name,
                arguments=call.arguments,
            ),
            self._done(arguments=call.arguments, status="completed"),
        ]

    def _custom_call(self, call: ToolCall, named: dict[str, Any]) -> list[Chunk]:
        """Return the events of a call of a tool whose input is a text."""
        text = custom_input(call)
        item = {"type": "custom_tool_call", "call_id": call.id, "input": "", **named}
        return [
            self._add({**item, "status": "in_progress"}),
            self._event("response.custom_tool_call_input.delta", **self._position, delta=text),
            self._event("response.custom_tool_call_input.done", **self._position, input=text),
            self._done(input=text, status="completed"),
        ]


def _refusal(text: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": text}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


def _content(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
