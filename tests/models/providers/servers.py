"""Loopback servers that speak the providers' streaming wires: they say what they are told to, and keep what they were sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Raw:
    """Something else: any status, headers and body; `hang` then keeps the connection, `drop` cuts it."""

    body: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/event-stream"),)
    end: str = ""


@dataclass
class Server:
    """What a server knows of its requests."""

    wire: str
    url: str = ""
    script: list[Say | Raw] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    """Every byte that came in, a request each."""
    paths: list[str] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """A client went away before its reply was whole."""
    connections: int = 0
    open: int = 0
    tasks: list[Any] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.tasks.append(asyncio.current_task())
        try:
            while (head := await _head(reader)) is not None:
                method, path, length = head[0], head[1], head[2]
                body = await reader.readexactly(length)
                self.raw.append(head[3] + body)
                self.paths.append(path)
                if method == "POST":
                    self.bodies.append(json.loads(body))
                if not await self._answer(reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        step = self.script.pop(0) if self.script else Say("ok")
        raw = step if isinstance(step, Raw) else Raw(WIRES[self.wire](step))
        lines = [f"HTTP/1.1 {raw.status} X", *(f"{name}: {value}" for name, value in raw.headers)]
        if not raw.end:
            lines.append(f"content-length: {len(raw.body.encode())}")
        else:
            lines.append("transfer-encoding: chunked")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        data = raw.body.encode()
        if raw.end and data:
            data = f"{len(data):x}\r\n".encode() + data + b"\r\n"
        writer.write(data)
        await writer.drain()
        if raw.end == "hang":
            if not await reader.read(1):
                self.gone.set()
            return False
        return raw.end != "drop"


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, int, bytes] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    method, path, _ = first.split(" ")
    return method, path, int(headers.get("content-length", 0)), head


@asynccontextmanager
async def serving(wire: str, *script: Say | Raw) -> AsyncIterator[Server]:
    """A server on a free port of this machine, for the block."""
    known = Server(wire, script=list(script))
    server = await asyncio.start_server(known.handle, "127.0.0.1", 0)
    known.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" + (
        "/v1" if wire in ("chat", "responses") else ""
    )
    async with server:
        yield known
        for task in known.tasks:
            task.cancel()
        await asyncio.gather(*known.tasks)


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


def responses(say: Say) -> str:
    output: list[Any] = []
    events: list[Any] = []
    if say.thinking or say.signature:
        item = {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": say.thinking}],
            "encrypted_content": say.signature,
        }
        events += [
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
        output.append(item)
    if say.text:
        item = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": say.text, "annotations": []}],
        }
        events += [
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
        output.append(item)
    for number, (id, name, arguments) in enumerate(say.calls):
        item = {
            "id": f"fc_{number}",
            "type": "function_call",
            "call_id": id,
            "name": name,
            "arguments": arguments,
            "status": "completed",
        }
        events += [
            {"type": "response.output_item.added", "item": {**item, "arguments": ""}},
            {
                "type": "response.function_call_arguments.delta",
                "item_id": f"fc_{number}",
                "delta": arguments,
            },
            {"type": "response.output_item.done", "item": item},
        ]
        output.append(item)
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


def anthropic(say: Say) -> str:
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
    for index, (start, deltas) in enumerate(blocks):
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
