"""A native model held to what it does not know itself: texts that end the answer, and how long the answer may be."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from musespark.content import Request
from musespark.models.model import Abilities, AbstainedDelta, Delta, Finish, Model, TextDelta, VerifiedDelta


class StopLimitedModel:
    """A native model whose answer ends at a text, or when it has enough tokens; its thoughts are not counted."""

    def __init__(self, model: Model, most: int | None, stop: tuple[str, ...]) -> None:
        """most: tokens of the answer, None for no limit. stop: texts that end it, themselves left out."""
        self.model, self.most, self.stop = model, most, stop

    @property
    def name(self) -> str:
        """The model's own."""
        return self.model.name

    @property
    def abilities(self) -> Abilities:
        """The model's own, and to stop."""
        return replace(self.model.abilities, stop=True)

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The model's own deltas, those of the answer as far as it goes: every piece of it is a token."""
        left, until = self.most, StopScanner(self.stop)
        async with aclosing(self.model.stream(request)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    if left == 0:
                        if until.held:
                            yield TextDelta(until.rest())
                        yield Finish("length", f"the answer has the {self.most} tokens that it may have")
                        return
                    left = None if left is None else left - 1
                    told = until.told(delta.text)
                    if told:
                        yield TextDelta(told)
                    if until.stop is not None:
                        yield Finish(stop=until.stop)
                        return
                    continue
                if isinstance(delta, Finish | VerifiedDelta | AbstainedDelta) and until.held:
                    yield TextDelta(until.rest())
                yield delta
        if until.held:  # the model broke off
            yield TextDelta(until.rest())


class StopScanner:
    """A text that comes in pieces and ends before the first of some texts."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self.held = ""
        """What might be the beginning of one of them."""
        self.stop: str | None = None
        """The one that ended it."""

    def told(self, piece: str) -> str:
        """What may be told of the text, now that this piece has come."""
        text = self.held + piece
        found = [(text.index(stop), stop) for stop in self._stops if stop in text]
        if found:
            at, self.stop = min(found)
            self.held = ""
            return text[:at]
        begun = max((size for stop in self._stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0)
        self.held = text[len(text) - begun:]
        return text[:len(text) - begun]

    def rest(self) -> str:
        """What was held back, and ends the text after all."""
        text, self.held = self.held, ""
        return text
