"""The native model behind the `Model` protocol: what its engine does, as deltas.

The model sees the last question and its picture; it keeps no conversation. The network runs in a worker thread, one step at
a time, so that a stream that is closed stops within milliseconds.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from musespark.content import Request
from musespark.errors import BeyondModel, QuestionTooLong
from musespark.events import MAIN
from musespark.models.model import (
    Abilities,
    AbstainedDelta,
    Delta,
    Finish,
    ImageDelta,
    TextDelta,
    ThinkingDelta,
    ThreadCancelled,
    ThreadReturned,
    ThreadStarted,
    UsageDelta,
    VerifiedDelta,
)
from musespark.nano import vocabulary as v
from musespark.nano.happenings import Cancelled, Fed, Finished, Happening, Kept, Returned, Started, Wrote
from musespark.usage import Usage

if TYPE_CHECKING:
    import numpy as np

    from musespark.nano.engine import Engine

_Result = TypeVar("_Result")

SCALE = 4
"""Pictures are shown at this multiple of the 64x64 pixels that the model draws."""
PER_THREAD = 1024
"""Tokens that the package's weights can see on one thread's path: the question, what the thread was forked from, and its own."""
LONGEST = 10 * PER_THREAD
"""Characters of a question beyond which its tokens are not even counted: accents and line breaks may be several characters each."""


@functools.lru_cache(maxsize=2)
def engine_of(path: str | None) -> Engine:
    """The engine of a weights file (None: the one in the package), loaded once. Raises WeightsMissing or WeightsDamaged."""
    from musespark.nano.engine import Engine

    return Engine.from_file() if path is None else Engine.from_file(path)


class NanoModel:
    """The native model. It solves the tasks it was trained on, and abstains from anything else."""

    def __init__(self, weights: str | None = None) -> None:
        """weights: a file that training wrote; None for those in the package. They are loaded with the first question."""
        self._weights = weights

    @property
    def name(self) -> str:
        """`nano`, with the weights file where it is not the package's."""
        return "nano" if self._weights is None else f"nano:{self._weights}"

    @property
    def abilities(self) -> Abilities:
        """It reads one picture, draws pictures, and spawns its own threads."""
        return Abilities(pictures_in=True, pictures_out=True, native_spawn=True, in_process=True, context=PER_THREAD)

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Answer the last question of a request. Raises BeyondModel, QuestionTooLong, WeightsMissing or WeightsDamaged."""
        from musespark.nano.engine import Batch
        from musespark.nano.threads import Question
        from musespark.nano.trace import prompt

        if len(request.question) > LONGEST:
            raise QuestionTooLong(len(request.question), PER_THREAD - 3)
        seen = await asyncio.to_thread(_look, self.name, request)
        engine = await asyncio.to_thread(engine_of, self._weights)
        limit = request.max_tokens or PER_THREAD * (1 + request.threads)
        patches = await asyncio.to_thread(_patches, seen)
        question = Question(
            prompt(request.question.strip(), seen is not None), v.MODES[request.mode], patches, request.threads,
            request.seed or 0, request.temperature or 0.0, min(PER_THREAD, limit),
        )  # fmt: skip
        batch = Batch(engine.network)
        run = batch.ask(question)
        telling = Telling(request.question.strip(), seen, limit, is_whole=_is_whole(request))
        try:
            while batch.runs and telling.allows(len(run.ready())):
                for _, happening in await _whole(batch.step):
                    is_drawn = isinstance(happening, Kept)  # its image is encoded
                    for delta in await asyncio.to_thread(list, telling.tell(happening)) if is_drawn else telling.tell(happening):
                        yield delta
                yield UsageDelta(telling.step())
                if reason := await _whole(telling.outside):
                    for delta in telling.abstain(reason):
                        yield delta
                    return
            if run.finished is not None:
                for delta in await asyncio.to_thread(list, telling.end(run.finished)):
                    yield delta
            else:
                yield Finish("length", f"all threads together may write {limit} tokens")
        finally:
            if run in batch.runs:
                batch.drop(run)


async def _whole(step: Callable[[], _Result]) -> _Result:
    """Run a step in a worker thread; whoever cancels it waits until it is over, for nobody else may touch what it works on."""
    running = asyncio.get_running_loop().run_in_executor(None, step)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _is_whole(request: Request) -> bool:
    """True if the last question is all that was said: instructions and earlier turns are not read, and may be conditions."""
    return len(request.messages) == 1


def _look(name: str, request: Request) -> np.ndarray | None:
    """The picture of the last question, as (height, width, 3) uint8 pixels."""
    asked = next(message for message in reversed(request.messages) if message.role == "user")
    if len(asked.images) > 1:
        raise BeyondModel(name, "look at more than one picture at a time", "ask about one of them")
    if not asked.images:
        return None
    from musespark.images import to_array

    return to_array(asked.images[0])


def _patches(seen: np.ndarray | None) -> np.ndarray | None:
    if seen is None:
        return None
    from musespark.nano.picture import patches, shrink

    return patches(shrink(seen))


@dataclass
class Telling:
    """One question's happenings, told as deltas: text as text, drawing as pictures, control as what it does."""

    question: str
    image: np.ndarray | None
    limit: int
    """Tokens that all threads may write together."""
    is_whole: bool = True
    """True if the question is all that was said; otherwise nothing is verified."""
    usage: Usage = field(default_factory=Usage)
    world: str = ""
    _vetted: bool = False
    _silent: set[int] = field(default_factory=set)
    """Threads that are naming a branch, or writing what they return: it is told when it is whole."""
    _answering: bool = False
    _branches: dict[int, str] = field(default_factory=dict)

    def allows(self, threads: int) -> bool:
        """Whether so many threads may write one more token each."""
        return self.usage.tokens + threads <= self.limit

    def step(self) -> Usage:
        """Count one step of the network; the running total."""
        self.usage += Usage(critical_path=1)
        return self.usage

    def tell(self, happening: Happening) -> Iterator[Delta]:
        """The deltas that a happening means."""
        match happening:
            case Wrote():
                self.usage += Usage(tokens=1)
                yield from self._written(happening.thread, happening.token)
            case Fed():
                self._silent.discard(happening.thread)  # its list was broken off: whoever is fed returns thinks on
            case Started():
                self.usage += Usage(threads=1)
                self._branches[happening.thread] = v.decode(happening.branch)
                yield ThreadStarted(
                    agent(happening.thread), agent(happening.parent), self._branches[happening.thread]
                )
            case Kept():
                branch = self._branches.get(happening.thread)
                caption = f"what it imagines after {branch}" if branch else "what it sees and thinks"
                side = 64 * SCALE
                yield ImageDelta(happening.canvas.png(SCALE), side, side, caption, agent(happening.thread))
            case Returned():
                yield ThreadReturned(agent(happening.thread), v.decode(happening.tokens))
            case Cancelled():
                yield ThreadCancelled(agent(happening.thread), happening.reason)

    def _written(self, thread: int, token: int) -> Iterator[Delta]:
        if v.is_text(token) and thread not in self._silent:
            text = v.TOKENS[token]
            yield TextDelta(text) if self._answering and thread == 0 else ThinkingDelta(text, agent(thread))
        elif token in (v.TH, v.RET):
            self._silent.add(thread)
        elif token in (v.JOIN, v.ANSWER):
            self._silent.discard(thread)
            self._answering = token == v.ANSWER
        elif token in v.WORLDS.values():
            self.world = v.TOKENS[token].strip("<>")
            yield ThinkingDelta(f"{self.world}: ", agent(thread))

    def outside(self) -> str | None:
        """Why the question is beyond its task, told once, as soon as the network has named the task; None where it is not."""
        from musespark.nano.worlds import load_world

        if self._vetted or not self.world:
            return None
        self._vetted = True
        return load_world(self.world).outside(self.question, self.image)

    def abstain(self, reason: str) -> Iterator[Delta]:
        """A sentence in place of an answer. reason: a clause without a full stop."""
        from musespark.nano.worlds.scope import abstention

        yield from self._abstained(abstention(self.world, reason), reason)

    def _abstained(self, sentence: str, reason: str) -> Iterator[Delta]:
        yield TextDelta(sentence)
        yield AbstainedDelta(reason)
        yield UsageDelta(self.usage)
        yield Finish()

    def end(self, finished: Finished) -> Iterator[Delta]:
        """The last words: why there is no answer, or the verdict of the task's verifier; and why an answer was cut."""
        from musespark.nano.worlds import load_world
        from musespark.nano.worlds.decline import declining

        if finished.ending == "declined":
            yield from self._abstained(*declining(self.question, self.image))
            return
        if finished.ending == "stuck" and not self._answering:
            yield from self.abstain(f"I got stuck: {finished.reason}")
            return
        if finished.ending == "answered" and self.is_whole:
            right = load_world(self.world).verify(self.question, self.image, v.decode(finished.answer))
            if right is not None:
                yield VerifiedDelta(right, f"the verifier of the task {self.world}")
        yield UsageDelta(self.usage)
        yield Finish("length" if finished.ending in ("cut", "stuck") else "finished", finished.reason)


def agent(thread: int) -> str:
    """What a thread is called in events."""
    return MAIN if thread == 0 else f"thread-{thread}"
