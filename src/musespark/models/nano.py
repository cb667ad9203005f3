"""The native model behind the `Model` protocol: the engine's events, translated into deltas.

The model sees the last question and its image; it keeps no conversation. The network runs in a worker thread, one step at a time,
so that a closed stream stops within milliseconds.
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
from musespark.nano.engine_events import (
    Cancelled,
    CanvasSaved,
    EngineEvent,
    Finished,
    Forced,
    Generated,
    Returned,
    Started,
)
from musespark.usage import Usage

if TYPE_CHECKING:
    import numpy as np

    from musespark.nano.engine import Engine

_Result = TypeVar("_Result")

SCALE = 4
"""Factor by which the 64x64 pixels of a drawn image are enlarged for people."""
CONTEXT = 1024
"""Tokens of one thread: the question, the prefix it was forked from, and its own."""
MAX_CHARACTERS = 10 * CONTEXT
"""Characters of a question beyond which its tokens are not counted; a token may be several characters, as an accented letter."""


@functools.lru_cache(maxsize=2)
def load_engine(path: str | None) -> Engine:
    """Load the engine of a weights file, once. path: None for the package's weights. Raises WeightsMissing or WeightsDamaged."""
    from musespark.nano.engine import Engine

    return Engine.from_file() if path is None else Engine.from_file(path)


class NanoModel:
    """The native model. It solves the tasks it was trained on, and abstains from anything else."""

    def __init__(self, weights: str | None = None) -> None:
        """weights: a file that training wrote; None for the package's. They are loaded with the first question."""
        self._weights = weights

    @property
    def name(self) -> str:
        """`nano`, followed by the weights file if it is not the package's."""
        return "nano" if self._weights is None else f"nano:{self._weights}"

    @property
    def abilities(self) -> Abilities:
        """Reads one image, draws images, and spawns threads of its own."""
        return Abilities(
            pictures_in=True, pictures_out=True, native_spawn=True, in_process=True, context=CONTEXT
        )

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Answer the last question of a request. Raises BeyondModel, QuestionTooLong, WeightsMissing or WeightsDamaged."""
        from musespark.nano.engine import Batch
        from musespark.nano.threads import EngineRequest
        from musespark.nano.trace import prompt_tokens

        if len(request.question) > MAX_CHARACTERS:
            raise QuestionTooLong(len(request.question), CONTEXT - 3)
        image = await asyncio.to_thread(_read_image, self.name, request)
        engine = await asyncio.to_thread(load_engine, self._weights)
        limit = request.max_tokens or CONTEXT * (1 + request.threads)
        patches = await asyncio.to_thread(_to_patches, image)
        question = EngineRequest(
            prompt_tokens(request.question.strip(), image is not None), v.MODES[request.mode], patches, request.threads,
            request.seed or 0, request.temperature or 0.0, min(CONTEXT, limit),
        )  # fmt: skip
        batch = Batch(engine.network)
        run = batch.add(question)
        translator = EngineTranslator(
            request.question.strip(), image, limit, is_complete=_is_complete(request)
        )
        try:
            while batch.trees and translator.has_tokens_for(len(run.ready())):
                for _, event in await _run_to_end(batch.step):
                    is_drawn = isinstance(event, CanvasSaved)  # its image is encoded
                    for delta in (
                        await asyncio.to_thread(list, translator.translate(event))
                        if is_drawn
                        else translator.translate(event)
                    ):
                        yield delta
                yield UsageDelta(translator.count_step())
                if reason := await _run_to_end(translator.find_out_of_scope):
                    for delta in translator.abstain(reason):
                        yield delta
                    return
            if run.finished is not None:
                for delta in await asyncio.to_thread(list, translator.end(run.finished)):
                    yield delta
            else:
                yield Finish("length", f"all threads together may write {limit} tokens")
        finally:
            if run in batch.trees:
                batch.abort(run)


async def _run_to_end(step: Callable[[], _Result]) -> _Result:
    """Run a step in a worker thread. Cancellation waits until the step is over, because it works on shared state."""
    running = asyncio.get_running_loop().run_in_executor(None, step)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _is_complete(request: Request) -> bool:
    """True if the request is one message: instructions and earlier turns are not read, and may be conditions of the answer."""
    return len(request.messages) == 1


def _read_image(name: str, request: Request) -> np.ndarray | None:
    """Image of the last question, as (height, width, 3) uint8 pixels; None if it has none."""
    question = next(message for message in reversed(request.messages) if message.role == "user")
    if len(question.images) > 1:
        raise BeyondModel(name, "look at more than one image at a time", "ask about one of them")
    if not question.images:
        return None
    from musespark.images import to_array

    return to_array(question.images[0])


def _to_patches(image: np.ndarray | None) -> np.ndarray | None:
    if image is None:
        return None
    from musespark.nano.patches import patches, shrink

    return patches(shrink(image))


@dataclass
class EngineTranslator:
    """Translates the engine events of one question into deltas: text, images, and threads that start and end."""

    question: str
    image: np.ndarray | None
    limit: int
    """Tokens that all threads may write together."""
    is_complete: bool = True
    """True if the question is the whole conversation; otherwise nothing is verified."""
    usage: Usage = field(default_factory=Usage)
    task: str = ""
    _is_scope_checked: bool = False
    _silent: set[int] = field(default_factory=set)
    """Threads that are writing the name of a branch or a return value, which become deltas when they are complete."""
    _is_answering: bool = False
    _branches: dict[int, str] = field(default_factory=dict)

    def has_tokens_for(self, threads: int) -> bool:
        """True if that number of threads may write one more token each."""
        return self.usage.tokens + threads <= self.limit

    def count_step(self) -> Usage:
        """Count one step of the network. Returns the usage so far."""
        self.usage += Usage(critical_path=1)
        return self.usage

    def translate(self, event: EngineEvent) -> Iterator[Delta]:
        """Yield the deltas of an engine event."""
        match event:
            case Generated():
                self.usage += Usage(tokens=1)
                yield from self._translate_token(event.thread, event.token)
            case Forced():
                self._silent.discard(
                    event.thread
                )  # its list was broken off: a thread that receives returns thinks on
            case Started():
                self.usage += Usage(threads=1)
                self._branches[event.thread] = v.decode(event.branch)
                yield ThreadStarted(
                    agent_name(event.thread), agent_name(event.parent), self._branches[event.thread]
                )
            case CanvasSaved():
                branch = self._branches.get(event.thread)
                caption = (
                    f"what it imagines after {branch}" if branch else "what it sees and thinks"
                )
                side = 64 * SCALE
                yield ImageDelta(
                    event.canvas.png(SCALE), side, side, caption, agent_name(event.thread)
                )
            case Returned():
                yield ThreadReturned(agent_name(event.thread), v.decode(event.tokens))
            case Cancelled():
                yield ThreadCancelled(agent_name(event.thread), event.reason)

    def _translate_token(self, thread: int, token: int) -> Iterator[Delta]:
        if v.is_text(token) and thread not in self._silent:
            text = v.TOKENS[token]
            yield (
                TextDelta(text)
                if self._is_answering and thread == 0
                else ThinkingDelta(text, agent_name(thread))
            )
        elif token in (v.TH, v.RET):
            self._silent.add(thread)
        elif token in (v.JOIN, v.ANSWER):
            self._silent.discard(thread)
            self._is_answering = token == v.ANSWER
        elif token in v.TASK_TOKENS.values():
            self.task = v.TOKENS[token].strip("<>")
            yield ThinkingDelta(f"{self.task}: ", agent_name(thread))

    def find_out_of_scope(self) -> str | None:
        """The reason why the question is outside the task that the network named; None if it is inside, or was checked before."""
        from musespark.nano.tasks import load_task

        if self._is_scope_checked or not self.task:
            return None
        self._is_scope_checked = True
        return load_task(self.task).abstention_reason(self.question, self.image)

    def abstain(self, reason: str) -> Iterator[Delta]:
        """Yield a sentence in place of an answer. reason: a clause without a full stop."""
        from musespark.nano.tasks.scope import abstention_sentence

        yield from self._end_with(abstention_sentence(self.task, reason), reason)

    def _end_with(self, sentence: str, reason: str) -> Iterator[Delta]:
        yield TextDelta(sentence)
        yield AbstainedDelta(reason)
        yield UsageDelta(self.usage)
        yield Finish()

    def end(self, finished: Finished) -> Iterator[Delta]:
        """Yield the end: a reason in place of an answer, or the verdict of the task's verifier; and the reason if it was cut."""
        from musespark.nano.tasks import load_task
        from musespark.nano.tasks.decline import declining

        if finished.ending == "declined":
            yield from self._end_with(*declining(self.question, self.image))
            return
        if finished.ending == "stuck" and not self._is_answering:
            yield from self.abstain(f"I got stuck: {finished.reason}")
            return
        if finished.ending == "answered" and self.is_complete:
            right = load_task(self.task).verify(
                self.question, self.image, v.decode(finished.answer)
            )
            if right is not None:
                yield VerifiedDelta(right, f"the verifier of the task {self.task}")
        yield UsageDelta(self.usage)
        yield Finish(
            "length" if finished.ending in ("cut", "stuck") else "finished", finished.reason
        )


def agent_name(thread: int) -> str:
    """Name of a thread's agent in events."""
    return MAIN if thread == 0 else f"thread-{thread}"
