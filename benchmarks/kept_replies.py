"""A model whose replies are kept in a file, so that every row of a benchmark is measured on the same samples."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from musespark.content import Request
from musespark.models.model import Delta, Finish, Model, TextDelta, UsageDelta
from musespark.usage import Usage

SLOTS = 8


class Replayed:
    """A model whose replies are kept: a request that was made before is not sent again.

    Requests of one conversation follow one another, so that the server reads its prompt once; as many conversations as it has slots
    go on side by side, and several servers share them.
    """

    def __init__(self, models: list[Model], path: Path) -> None:
        self.models, self.name, self.abilities = models, models[0].name, models[0].abilities
        self._kept = sqlite3.connect(path, isolation_level=None)
        self._kept.execute(
            "CREATE TABLE IF NOT EXISTS replies (request TEXT PRIMARY KEY, text TEXT, tokens INT, prompt INT, why TEXT)"
        )
        self._talking: dict[str, asyncio.Lock] = {}
        self.sent = 0
        """Requests that really were sent."""

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The reply, as it was or as it comes."""
        talk = hashlib.sha256(repr(request.messages).encode()).hexdigest()
        key = hashlib.sha256(
            repr((request.messages, request.temperature, request.seed, request.max_tokens)).encode()
        ).hexdigest()
        if self._row(key) is None:
            async with self._talking.setdefault(talk, asyncio.Lock()):
                if self._row(key) is None:
                    await self._send(self.models[int(talk, 16) % len(self.models)], request, key)
        text, tokens, prompt, why = self._row(key)
        yield TextDelta(text)
        yield UsageDelta(
            Usage(tokens=tokens, critical_path=tokens - prompt, prompt_tokens=prompt, calls=1)
        )
        yield Finish(why)

    def _row(self, key: str) -> tuple | None:
        return self._kept.execute(
            "SELECT text, tokens, prompt, why FROM replies WHERE request = ?", (key,)
        ).fetchone()

    async def _send(self, model: Model, request: Request, key: str) -> None:
        text, usage, why = "", Usage(), "finished"
        self.sent += 1
        async with aclosing(model.stream(request)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    text += delta.text
                elif isinstance(delta, UsageDelta):
                    usage = delta.usage
                elif isinstance(delta, Finish):
                    why = delta.finish_reason
        self._kept.execute(
            "INSERT INTO replies VALUES (?, ?, ?, ?, ?)",
            (key, text, usage.tokens, usage.prompt_tokens, why),
        )
