"""Threads of one request, and the effects of their tokens: the network decides, the engine carries out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from musespark.nano import tiles, vocabulary as v
from musespark.nano.arrays import Floats
from musespark.nano.decode_session import DecodeSession, SequenceHandle, StepInput
from musespark.nano.engine_events import (
    Cancelled,
    CanvasSaved,
    Ending,
    EngineEvent,
    Finished,
    Forced,
    Generated,
    Returned,
    Started,
)
from musespark.nano.grammar import Role, State, next_state
from musespark.nano.repetition import is_repeating

MAX_DEPTH = 2
"""Threads may spawn threads; those may not."""
CHILD_PREFIX: tuple[int, ...] = (v.GO,)
"""Tokens fed to a child after its branch: without them it would see the same context as its parent, which lists branches."""
BLANK = v.tile(tiles.maze(0))
"""The white tile that replaces every painted tile in an ablation of the imagined images."""


class CanvasLike(Protocol):
    """The canvas of a thread, as far as the engine uses it."""

    def paint(self, place: int, tile: int) -> None:
        """Paint a tile of the codebook at a place (0..63, row by row)."""

    def copy(self) -> Any:
        """Return an independent canvas with the same tiles."""


@dataclass(frozen=True)
class EngineRequest:
    """A question for the engine; `Engine.run` describes the fields."""

    prompt: Sequence[int]
    mode: int
    patches: Floats | None = None
    max_threads: int = 16
    seed: int = 0
    temperature: float = 0.0
    max_tokens: int = 2048
    ablate_images: bool = False


@dataclass(eq=False)
class Thread:
    """One line of thought and its place in the tree."""

    index: int
    sequence: SequenceHandle
    parent: Thread | None
    pending: list[int]
    """Tokens to feed in the next step."""
    position: int
    """Position of the next token after `pending`."""
    chosen: int | None = None
    """Token that the network chose after the last step, until it is applied."""
    state: State = State.THOUGHT
    patches: Floats | None = None
    canvas: CanvasLike | None = None
    place: int = 0
    generated: list[int] = field(default_factory=list)
    """Tokens that the network has written in this thread."""
    collected: list[int] = field(default_factory=list)
    """Text of the branch, return or answer that is being written."""
    stem: SequenceHandle = None
    """Sequence that the children fork from, at the position `fork_position`."""
    fork_position: int = 0
    children: list[Thread] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """Depth in the tree: 0 for the first thread."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def has_running_children(self) -> bool:
        """True if a child has not ended."""
        return any(child.state is not State.ENDED for child in self.children)

    @property
    def generated_count(self) -> int:
        """Number of tokens that the network has written in this thread."""
        return len(self.generated)

    def take_input(self) -> StepInput:
        """Return the input of the next step and clear what was pending."""
        step_input = StepInput(self.sequence, self.pending, self.patches)
        self.pending, self.patches = [], None
        return step_input


class ThreadTree:
    """The threads of one request, and the tokens and steps they have used."""

    def __init__(
        self,
        request: EngineRequest,
        session: DecodeSession,
        context: int,
        canvas: Callable[[], CanvasLike],
    ) -> None:
        self.request = request
        self.finished: Finished | None = None
        self._session, self._context, self._canvas = session, context, canvas
        given = [*request.prompt, request.mode]
        self.threads = [
            Thread(
                0,
                session.open(),
                None,
                given,
                len(given),
                state=State.OPENING,
                patches=request.patches,
            )
        ]
        self._reserved = 0
        self._tokens, self._forced, self._steps = 0, len(given), 0

    @property
    def first_event(self) -> Forced:
        """Event of the prompt, which precedes all others."""
        return Forced(0, tuple(self.threads[0].pending), 0)

    def ready(self) -> list[Thread]:
        """Return the threads that take part in the next step, in the order in which they started."""
        return [thread for thread in self.threads if thread.pending]

    def role(self, thread: Thread) -> Role:
        """Return the permissions of a thread at this moment."""
        spawns = (
            self.request.mode == v.CONTEMPLATE
            and thread.depth < MAX_DEPTH
            and self._reserved < self.request.max_threads
        )
        return Role(thread.parent is not None, self.request.mode != v.INSTANT, spawns)

    def apply_tokens(self) -> Iterator[EngineEvent]:
        """Apply the tokens chosen in one step, <win> first: a thread that it cancels loses its own token of the same step."""
        self._steps += 1
        chosen = [thread for thread in self.threads if thread.chosen is not None]
        for thread in sorted(chosen, key=lambda thread: thread.chosen != v.WIN):
            token, thread.chosen = thread.chosen, None
            if (
                token is not None
                and thread.state is not State.ENDED
                and not thread.pending
                and not self.finished
            ):
                yield from self._apply_token(thread, token)
        for thread in reversed(
            self.threads
        ):  # children first: a parent need not wait for one that is cut here
            if (
                thread.state is State.WAITING
                and not thread.has_running_children
                and not self.finished
            ):
                yield from self._join(
                    thread, [child for child in thread.children if child.collected]
                )

    def close(self) -> None:
        """Free the sequences of all threads."""
        for thread in self.threads:
            self._end(thread)

    def _apply_token(self, thread: Thread, token: int) -> Iterator[EngineEvent]:
        if token == v.TH:
            if self._reserved == self.request.max_threads:
                token = v.JOIN  # the limit of threads is reached: the parent waits for those it has
            else:
                self._reserved += (
                    1  # before the branch is written, or siblings would exceed max_threads together
                )
        before = thread.state
        thread.state = State.WAITING if token == v.JOIN else next_state(before, token)
        yield Generated(thread.index, token, thread.position)
        self._tokens += 1
        thread.generated.append(token)
        thread.position += 1
        ablated = self.request.ablate_images and before is State.PAINTING
        thread.pending = [BLANK if ablated else token]
        yield from self._apply_effect(thread, token, before)
        if thread.pending and thread.state not in (State.ENDED, State.WAITING):
            yield from self._limit(thread)

    def _apply_effect(self, thread: Thread, token: int, before: State) -> Iterator[EngineEvent]:
        """Carry out the effect of a token that was just written."""
        match before:
            case State.SPAWNING:
                thread.children, thread.collected = [], []
                thread.stem, thread.fork_position = (
                    self._session.fork(thread.sequence),
                    thread.position - 1,
                )
            case State.BRANCH if token in (v.TH, v.JOIN):
                yield from self._start(thread)
            case State.PAINTING:
                assert thread.canvas is not None
                thread.canvas.paint(thread.place, token - v.tile(0))
            case State.DRAWING if token == v.IMG_END:
                assert thread.canvas is not None
                yield CanvasSaved(thread.index, thread.canvas.copy())
            case State.RETURNING if thread.state is State.ENDED:
                yield from self._return(thread, settled=token == v.WIN)
            case State.ANSWERING | State.DECLINING if thread.state is State.ENDED:
                yield self._finish("answered" if before is State.ANSWERING else "declined")
            case State.NAMING | State.BRANCH | State.RETURNING | State.ANSWERING:
                thread.collected.append(token)
        match thread.state:
            case State.DRAWING if thread.canvas is None:
                thread.canvas = self._canvas()
            case State.PAINTING:
                thread.place = token - v.place(0)
            case State.WAITING:
                thread.pending = []  # <join> is fed together with the returns
            case _ if thread.state is not before and thread.state in (
                State.RETURNING,
                State.ANSWERING,
            ):
                thread.collected = []

    def _start(self, parent: Thread) -> Iterator[EngineEvent]:
        """Start a child. Its branch is complete; it runs in the same steps as its parent."""
        branch, parent.collected = parent.collected, []
        canvas = None if parent.canvas is None else parent.canvas.copy()
        fed = [v.TH, *branch, *CHILD_PREFIX]
        sequence = self._session.fork(parent.stem)
        child = Thread(
            len(self.threads), sequence, parent, fed, parent.fork_position + len(fed), canvas=canvas
        )
        self.threads.append(child)
        parent.children.append(child)
        self._forced += len(fed)
        yield Started(child.index, parent.index, tuple(branch), parent.fork_position)
        yield from self._limit(child)

    def _return(self, child: Thread, settled: bool) -> Iterator[EngineEvent]:
        yield Returned(child.index, tuple(child.collected), settled)
        self._end(child)
        if settled and (parent := child.parent):
            for sibling in parent.children:
                yield from self._cancel(sibling, "another thread settled the question")
            yield from self._join(parent, [child])

    def _join(self, parent: Thread, returning: Sequence[Thread]) -> Iterator[EngineEvent]:
        """Feed a parent the returns of its children in one step, after <join> if it was interrupted before writing that."""
        returns = [
            token for child in returning if child.collected for token in (v.RET, *child.collected)
        ]
        forced = returns if parent.state is State.WAITING else [v.JOIN, *returns]
        if forced:
            yield Forced(parent.index, tuple(forced), parent.position)
        parent.pending = [v.JOIN, *returns]
        parent.position += len(forced)
        self._forced += len(forced)
        parent.state, parent.collected, parent.children = State.THOUGHT, [], []
        self._session.close(parent.stem)
        parent.stem = None
        yield from self._limit(parent)

    def _limit(self, thread: Thread) -> Iterator[EngineEvent]:
        """End a thread that has reached a limit."""
        ending: Ending = "stuck"
        if thread.position > self._context:
            reason = f"its thought is longer than the {self._context} tokens the model can see"
        elif is_repeating(thread.generated):
            reason = "its thought repeats itself"
        elif thread.generated_count >= self.request.max_tokens:
            ending, reason = "cut", f"it wrote the {self.request.max_tokens} tokens it was allowed"
        else:
            return
        if thread.parent:
            yield from self._cancel(thread, reason)
            return
        for child in thread.children:
            yield from self._cancel(child, "the thread that started it was cut")
        yield self._finish(ending, reason)

    def _cancel(self, thread: Thread, reason: str) -> Iterator[Cancelled]:
        """End a thread and all its descendants; they return nothing."""
        if thread.state is State.ENDED:
            return
        thread.collected = []
        children = thread.children
        self._end(thread)
        yield Cancelled(thread.index, reason)
        for child in children:
            yield from self._cancel(child, reason)

    def _finish(self, ending: Ending, reason: str = "") -> Finished:
        answer = tuple(self.threads[0].collected) if ending == "answered" else ()
        self.close()
        spawned = len(self.threads) - 1
        self.finished = Finished(
            answer, ending, reason, self._tokens, self._forced, self._steps, spawned
        )
        return self.finished

    def _end(self, thread: Thread) -> None:
        thread.state, thread.pending = State.ENDED, []
        for sequence in (thread.sequence, thread.stem):
            if sequence is not None:
                self._session.close(sequence)
        thread.sequence = thread.stem = None
