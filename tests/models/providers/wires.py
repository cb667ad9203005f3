"""Replies in the streaming wires of the providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Say:
    """A reply, whatever the wire."""

    text: str = ""
    thinking: str = ""
    signature: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name and arguments."""
    why: str = "stop"
    stop: str = ""
    """The text to stop at that ended it."""
    prompt: int = 11
    written: int = 7


def _data(*values: Any, done: str = "") -> str:
    return "".join(f"data: {json.dumps(value)}\n\n" for value in values) + done


def _pieces(text: str) -> Iterator[str]:
    half = len(text) // 2
    yield from (piece for piece in (text[:half], text[half:]) if piece)


def chat(say: Say) -> str:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
        return {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            **more,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }

    chunks = [chunk({"role": "assistant", "content": ""})]
    chunks += [chunk({"reasoning_content": piece}) for piece in _pieces(say.thinking)]
    chunks += [chunk({"content": piece}) for piece in _pieces(say.text)]
    for index, (id, name, arguments) in enumerate(say.calls):
        chunks.append(
            chunk(
                {
                    "tool_calls": [
                        {
                            "index": index,
                            "id": id,
                            "type": "function",
                            "function": {"name": name, "arguments": ""},
                        }
                    ]
                }
            )
        )
        chunks += [
            chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            for piece in _pieces(arguments)
        ]
    chunks.append(chunk({}, "tool_calls" if say.calls and say.why == "stop" else say.why))
    if say.stop:
        chunks[-1]["choices"][0]["stop_reason"] = say.stop  # as vLLM has it
    usage = {
        "prompt_tokens": say.prompt,
        "completion_tokens": say.written,
        "total_tokens": say.prompt + say.written,
    }
    chunks.append({**chunk({}), "choices": [], "usage": usage})
    return _data(*chunks, done="data: [DONE]\n\n")


def _reasoning_item(say: Say) -> tuple[Any, list[Any]]:
    """An item of reasoning, and the events that build it."""
    item = {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": say.thinking}],
        "encrypted_content": say.signature,
    }
    events = [
        {
            "type": "response.output_item.added",
            "item": {**item, "summary": [], "encrypted_content": ""},
        },
        {
            "type": "response.reasoning_summary_part.added",
            "item_id": "rs_1",
            "summary_index": 0,
            "part": {"type": "summary_text", "text": ""},
        },
        *(
            {
                "type": "response.reasoning_summary_text.delta",
                "item_id": "rs_1",
                "summary_index": 0,
                "delta": piece,
            }
            for piece in _pieces(say.thinking)
        ),
        {"type": "response.output_item.done", "item": item},
    ]
    return item, events


def _text_item(say: Say) -> tuple[Any, list[Any]]:
    """An item of text, and the events that build it."""
    item = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": say.text, "annotations": []}],
    }
    events = [
        {"type": "response.output_item.added", "item": {**item, "content": []}},
        *(
            {
                "type": "response.output_text.delta",
                "item_id": "msg_1",
                "content_index": 0,
                "delta": piece,
                "logprobs": [],
            }
            for piece in _pieces(say.text)
        ),
        {"type": "response.output_item.done", "item": item},
    ]
    return item, events


def _call_item(number: int, id: str, name: str, arguments: str) -> tuple[Any, list[Any]]:
    """An item of a tool call, and the events that build it."""
    item = {
        "id": f"fc_{number}",
        "type": "function_call",
        "call_id": id,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }
    events = [
        {"type": "response.output_item.added", "item": {**item, "arguments": ""}},
        {
            "type": "response.function_call_arguments.delta",
            "item_id": f"fc_{number}",
            "delta": arguments,
        },
        {"type": "response.output_item.done", "item": item},
    ]
    return item, events


def responses(say: Say) -> str:
    items = [
        *([_reasoning_item(say)] if say.thinking or say.signature else []),
        *([_text_item(say)] if say.text else []),
        *(_call_item(number, *call) for number, call in enumerate(say.calls)),
    ]
    output = [item for item, _ in items]
    events = [event for _, events in items for event in events]
    whole = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": "completed",
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    usage = {
        "input_tokens": say.prompt,
        "output_tokens": say.written,
        "total_tokens": say.prompt + say.written,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    ended = {**whole, "output": output, "usage": usage}
    last = {"type": "response.completed", "response": ended}
    if say.why == "length":
        last = {
            "type": "response.incomplete",
            "response": {
                **ended,
                "status": "incomplete",
                "incomplete_details": {"reason": "max_output_tokens"},
            },
        }
    events = [
        {"type": "response.created", "response": {**whole, "status": "in_progress"}},
        *events,
        last,
    ]
    return "".join(
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': n, 'output_index': 0})}\n\n"
        for n, event in enumerate(events)
    )


def _blocks(say: Say) -> list[tuple[Any, list[Any]]]:
    """Each content block as it starts, with its deltas."""
    blocks: list[tuple[Any, list[Any]]] = []
    if say.thinking or say.signature:
        blocks.append(
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                [
                    *(
                        {"type": "thinking_delta", "thinking": piece}
                        for piece in _pieces(say.thinking)
                    ),
                    {"type": "signature_delta", "signature": say.signature},
                ],
            )
        )
    if say.text:
        blocks.append(
            (
                {"type": "text", "text": ""},
                [{"type": "text_delta", "text": piece} for piece in _pieces(say.text)],
            )
        )
    for id, name, arguments in say.calls:
        blocks.append(
            (
                {"type": "tool_use", "id": id, "name": name, "input": {}},
                [
                    {"type": "input_json_delta", "partial_json": piece}
                    for piece in _pieces(arguments)
                ],
            )
        )
    return blocks


def anthropic(say: Say) -> str:
    why = "stop_sequence" if say.stop else {"stop": "end_turn", "length": "max_tokens"}[say.why]
    events: list[Any] = [
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": say.prompt, "output_tokens": 1},
            },
        }
    ]
    for index, (start, deltas) in enumerate(_blocks(say)):
        events += [
            {"type": "content_block_start", "index": index, "content_block": start},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        ]
    why = "tool_use" if say.calls else why
    events += [
        {
            "type": "message_delta",
            "delta": {"stop_reason": why, "stop_sequence": say.stop or None},
            "usage": {"output_tokens": say.written},
        },
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


def google(say: Say) -> str:
    parts: list[Any] = [{"text": piece, "thought": True} for piece in _pieces(say.thinking)]
    parts += [{"text": piece} for piece in _pieces(say.text)]
    parts += [
        {"functionCall": {"id": id, "name": name, "args": json.loads(arguments)}}
        for id, name, arguments in say.calls
    ]
    if say.signature:
        parts[-1]["thoughtSignature"] = say.signature
    why = {"stop": "STOP", "length": "MAX_TOKENS"}[say.why]
    chunks: list[Any] = [
        {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]}
        for part in parts
    ]
    chunks.append(
        {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": ""}]},
                    "finishReason": why,
                    "index": 0,
                }
            ],
            "usageMetadata": {
                "promptTokenCount": say.prompt,
                "candidatesTokenCount": say.written,
                "totalTokenCount": say.prompt + say.written,
            },
            "modelVersion": "m",
            "responseId": "r1",
        }
    )
    return _data(*chunks)


def mistral(say: Say) -> str:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }

    chunks = [chunk({"role": "assistant", "content": ""})]
    chunks += [
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": piece}]}]})
        for piece in _pieces(say.thinking)
    ]
    chunks += [chunk({"content": piece}) for piece in _pieces(say.text)]
    last = chunk({"content": ""}, say.why)
    if say.calls:
        last = chunk(
            {
                "tool_calls": [
                    {"id": id, "index": n, "function": {"name": name, "arguments": arguments}}
                    for n, (id, name, arguments) in enumerate(say.calls)
                ]
            },
            "tool_calls",
        )
    last["usage"] = {
        "prompt_tokens": say.prompt,
        "completion_tokens": say.written,
        "total_tokens": say.prompt + say.written,
    }
    return _data(*chunks, last, done="data: [DONE]\n\n")


WIRES = {
    "chat": chat,
    "responses": responses,
    "anthropic": anthropic,
    "google": google,
    "mistral": mistral,
}
