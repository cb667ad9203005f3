"""Replies of the stand-in for a model's server, faults included."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from backend_script import Call
from prompts import Prompt

if TYPE_CHECKING:
    from backend import Backend

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Server Error",
}


def refusal(reason: str) -> dict[str, Any]:
    """An error as an OpenAI-compatible server words it."""
    return {"error": {"message": reason, "type": "invalid_request_error", "code": None}}


class Reply:
    """A reply to a call, on a connection that stays open."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def json(self, status: int, value: Any, *headers: str) -> None:
        await self.whole(status, "application/json", json.dumps(value).encode(), *headers)

    async def whole(
        self, status: int, kind: str, body: bytes, *headers: str, sent: int | None = None
    ) -> None:
        """sent: of the bytes that are announced, only so many come."""
        lines = [
            f"HTTP/1.1 {status} {REASONS[status]}",
            f"content-type: {kind}",
            f"content-length: {len(body)}",
            *headers,
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body[:sent])
        await self._writer.drain()

    def begin(self) -> None:
        """A stream of server-sent events."""
        self._writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )

    async def event(self, data: str) -> None:
        data = f"data: {data}\n\n"
        self._writer.write(f"{len(data.encode()):x}\r\n{data}\r\n".encode())
        await self._writer.drain()

    async def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    def cut(self) -> None:
        """Close the connection in the middle, after what was written."""
        self._writer.close()


class Answer:
    """The answer to one call, faults included."""

    def __init__(
        self, backend: Backend, call: Call, prompt: Prompt, asked: Mapping[str, Any], since: float
    ) -> None:
        self.backend, self.script, self.call, self.since = backend, backend.script, call, since
        self.most = asked.get("max_completion_tokens") or asked.get("max_tokens")
        replies = [
            prompt.reply(self.script.answers, backend.answers + choice)
            for choice in range(call.choices)
        ]
        backend.answers += call.choices
        self.texts = [re.findall(r"\s*\S+", reply) for reply in replies]
        self.choices = [text[: self.most] for text in self.texts]
        self.counted = bool((asked.get("stream_options") or {}).get("include_usage"))
        self.start = time.monotonic()

    async def give(self, reply: Reply) -> None:
        """Answer the call; cancelled where its client leaves. The call's tokens are kept up to date."""
        fault, script = self.call.fault, self.script
        if self.call.choices > 1 and script.many == "refuse":
            fault = self.call.fault = "400"
        if fault == "hang":
            self.start += script.hang
        elif fault and fault != "cut":
            self.end(fault)
        match fault:
            case "400":
                await reply.json(400, refusal("the script refuses this call"))
            case "429":
                await reply.json(
                    429, refusal("too many requests"), f"retry-after: {script.retry_after}"
                )
            case "500":
                await reply.json(500, refusal("the script fails this call"))
            case "html":
                await reply.whole(
                    200,
                    "text/html",
                    b"<!doctype html><html><body><h1>Please sign in</h1></body></html>",
                )
            case "garbage":
                kind = "text/event-stream" if self.call.stream else "application/json"
                await reply.whole(200, kind, b'data: {"choices": [{"del\xff\n\n')
            case _ if self.call.stream:
                await self._stream(reply)
            case _:
                await self._whole(reply)

    def end(self, outcome: str) -> None:
        """Close the call in the log, if it is open. Done before the last byte is sent, so that a client finds the log complete."""
        if self.call.ended is None:
            self.backend.in_flight -= 1
            self.backend.active = time.monotonic()
            self.call.ended, self.call.outcome = self.backend.active - self.since, outcome

    async def _tokens(self) -> AsyncGenerator[int, None]:
        """The number of each token, when it is there; of all choices at once."""
        for number, due in enumerate(self.script.due(max(map(len, self.choices)))):
            await asyncio.sleep(self.start + due - time.monotonic())
            self.call.tokens += sum(number < len(choice) for choice in self.choices)
            yield number

    async def _stream(self, reply: Reply) -> None:
        async for number in self._tokens():
            if number == 0:
                self.call.first_byte = time.monotonic() - self.since
                reply.begin()
                for index in range(len(self.choices)):
                    await reply.event(
                        self._chunk([self._delta(index, {"role": "assistant", "content": ""})])
                    )
            if self.call.fault == "cut" and number >= len(self.choices[0]) // 2:
                self.end("cut")
                reply.cut()
                return
            for index, choice in enumerate(self.choices):
                if number < len(choice):
                    await reply.event(
                        self._chunk([self._delta(index, {"content": choice[number]})])
                    )
        for index in range(len(self.choices)):
            await reply.event(self._chunk([self._delta(index, {}, self._finish(index))]))
        if self.counted:
            await reply.event(self._chunk([], usage=self._usage()))
        self.end("answered")
        await reply.event("[DONE]")
        await reply.end()

    async def _whole(self, reply: Reply) -> None:
        async for _ in self._tokens():
            pass
        messages = [{"role": "assistant", "content": "".join(choice)} for choice in self.choices]
        choices = [
            {"index": index, "message": message, "finish_reason": self._finish(index)}
            for index, message in enumerate(messages)
        ]
        value = {**self._named("chat.completion"), "choices": choices, "usage": self._usage()}
        body = json.dumps(value).encode()
        self.call.first_byte = time.monotonic() - self.since
        if self.call.fault == "cut":
            self.end("cut")
            await reply.whole(200, "application/json", body, sent=len(body) // 2)
            reply.cut()
        else:
            self.end("answered")
            await reply.whole(200, "application/json", body)

    def _named(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.call.index}",
            "object": kind,
            "created": 0,
            "model": self.call.model,
        }

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> str:
        return json.dumps({**self._named("chat.completion.chunk"), "choices": choices, **more})

    def _delta(
        self, index: int, delta: dict[str, str], finish: str | None = None
    ) -> dict[str, Any]:
        return {"index": index, "delta": delta, "finish_reason": finish}

    def _finish(self, index: int) -> str:
        return "stop" if len(self.choices[index]) == len(self.texts[index]) else "length"

    def _usage(self) -> dict[str, int]:
        prompt, tokens = self.call.prompt_tokens, self.call.tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": tokens,
            "total_tokens": prompt + tokens,
        }
