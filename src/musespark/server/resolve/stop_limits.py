"""A native model with limits that it does not know itself: stop texts, and a maximum length of the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from musespark.content import Request
from musespark.models.model import (
    Abilities,
    AbstainedDelta,
    Delta,
    Finish,
    Model,
    TextDelta,
    VerifiedDelta,
)


class StopLimitedModel:
    """A native model whose answer ends at a stop text or after a number of tokens; its thoughts do not count."""

    def __init__(self, model: Model, max_tokens: int | None, stop: tuple[str, ...]) -> None:
        """max_tokens: tokens of the answer; None for no limit. stop: texts that end the answer and are left out of it."""
        self.model, self.max_tokens, self.stop = model, max_tokens, stop

    @property
    def name(self) -> str:
        """Name of the model inside."""
        return self.model.name

    @property
    def abilities(self) -> Abilities:
        """Abilities of the model inside, and stop texts."""
        return replace(self.model.abilities, stop=True)

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Yield the model's deltas until the answer reaches its limit; each of its text deltas is one token."""
        left, scanner = self.max_tokens, StopScanner(self.stop)
        async with aclosing(self.model.stream(request)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    if left == 0:
                        if scanner.pending:
                            yield TextDelta(scanner.flush())
                        yield Finish(
                            "length",
                            f"the answer has the {self.max_tokens} tokens that it may have",
                        )
                        return
                    left = None if left is None else left - 1
                    text = scanner.feed(delta.text)
                    if text:
                        yield TextDelta(text)
                    if scanner.found is not None:
                        yield Finish(stop=scanner.found)
                        return
                    continue
                if isinstance(delta, Finish | VerifiedDelta | AbstainedDelta) and scanner.pending:
                    yield TextDelta(scanner.flush())
                yield delta
        if scanner.pending:  # the model's stream ended early
            yield TextDelta(scanner.flush())


class StopScanner:
    """Incremental search for the first stop text in a text that comes in pieces."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self.pending = ""
        """End of the text so far that may be the start of a stop text."""
        self.found: str | None = None
        """Stop text that ended the text."""

    def feed(self, piece: str) -> str:
        """Add a piece and return the text that can be shown now."""
        text = self.pending + piece
        found = [(text.index(stop), stop) for stop in self._stops if stop in text]
        if found:
            at, self.found = min(found)
            self.pending = ""
            return text[:at]
        size = max(
            (
                size
                for stop in self._stops
                for size in range(1, len(stop))
                if text.endswith(stop[:size])
            ),
            default=0,
        )
        self.pending = text[len(text) - size :]
        return text[: len(text) - size]

    def flush(self) -> str:
        """Return the pending text, which turned out to be no stop text."""
        text, self.pending = self.pending, ""
        return text
