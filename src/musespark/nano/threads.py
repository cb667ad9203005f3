"""The threads of one question, and what their tokens do: the engine obeys here, the network decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from musespark.nano import tiles, vocabulary as v
from musespark.nano.grammar import Role, State, follow
from musespark.nano.happenings import Cancelled, Ending, Fed, Finished, Happening, Kept, Returned, Started, Wrote
from musespark.nano.lines import Feed, Line, Lines
from musespark.nano.repetition import is_repeating

DEPTH = 2
"""Threads may spawn threads; those may not."""
BEGINS: tuple[int, ...] = (v.GO,)
"""What a child is fed after its branch, or it would see the same as its parent does while it lists branches."""
BLANK = v.tile(tiles.maze(0))
"""A white tile: what imagined pictures look like where they are blanked."""


class Canvas(Protocol):
    """What a thread draws on."""

    def paint(self, place: int, tile: int) -> None:
        """Paint a tile of the codebook at a place (0..63, row by row)."""

    def copy(self) -> Any:
        """A canvas that looks the same and is painted on its own from here on."""


@dataclass(frozen=True)
class Question:
    """A question as the engine takes it; see `Engine.run` for the fields."""

    prompt: Sequence[int]
    mode: int
    patches: np.ndarray | None = None
    cap: int = 16
    seed: int = 0
    temperature: float = 0.0
    max_tokens: int = 2048
    blank_images: bool = False


@dataclass(eq=False)
class Thread:
    """One line of thought."""

    index: int
    line: Line
    parent: Thread | None
    pending: list[int]
    """Tokens to feed in the next step."""
    position: int
    """Of the next token that will be written or fed after `pending`."""
    chosen: int | None = None
    """What the network chose after the last step."""
    state: State = State.THOUGHT
    patches: np.ndarray | None = None
    canvas: Canvas | None = None
    place: int = 0
    trail: list[int] = field(default_factory=list)
    """All tokens that the network has written on it."""
    said: list[int] = field(default_factory=list)
    """The text of the branch, return or answer that is being written."""
    stem: Line = None
    """Where the children fork, at the position `fork_at`."""
    fork_at: int = 0
    children: list[Thread] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """0 for the first thread."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def busy(self) -> bool:
        """Whether a child is still thinking."""
        return any(child.state is not State.ENDED for child in self.children)

    @property
    def written(self) -> int:
        """Number of tokens that the network has written on it."""
        return len(self.trail)

    def feed(self) -> Feed:
        """What the next step feeds; nothing is pending afterwards."""
        feed = Feed(self.line, self.pending, self.patches)
        self.pending, self.patches = [], None
        return feed


class Run:
    """One question: its tree of threads and the count of what they cost."""

    def __init__(self, question: Question, lines: Lines, context: int, canvas: Callable[[], Canvas]) -> None:
        self.question = question
        self.finished: Finished | None = None
        self._lines, self._context, self._canvas = lines, context, canvas
        given = [*question.prompt, question.mode]
        self.threads = [Thread(0, lines.open(), None, given, len(given), state=State.OPENING, patches=question.patches)]
        self._reserved = 0
        self._tokens, self._forced, self._steps = 0, len(given), 0

    @property
    def opening(self) -> Fed:
        """The first thing that happens."""
        return Fed(0, tuple(self.threads[0].pending), 0)

    def ready(self) -> list[Thread]:
        """The threads that take part in the next step, in the order in which they started."""
        return [thread for thread in self.threads if thread.pending]

    def role(self, thread: Thread) -> Role:
        """What a thread may do now."""
        spawns = self.question.mode == v.CONTEMPLATE and thread.depth < DEPTH and self._reserved < self.question.cap
        return Role(thread.parent is not None, self.question.mode != v.INSTANT, spawns)

    def obey(self) -> Iterator[Happening]:
        """Do what the tokens chosen in one step say, winners first: whom they stop loses its own token of the same step."""
        self._steps += 1
        chosen = [thread for thread in self.threads if thread.chosen is not None]
        for thread in sorted(chosen, key=lambda thread: thread.chosen != v.WIN):
            token, thread.chosen = thread.chosen, None
            if token is not None and thread.state is not State.ENDED and not thread.pending and not self.finished:
                yield from self._write(thread, token)
        for thread in reversed(self.threads):  # children first: one that is cut here leaves its parent with nobody to wait for
            if thread.state is State.WAITING and not thread.busy and not self.finished:
                yield from self._join(thread, [child for child in thread.children if child.said])

    def close(self) -> None:
        """Give back what the network holds for this question."""
        for thread in self.threads:
            self._end(thread)

    def _write(self, thread: Thread, token: int) -> Iterator[Happening]:
        if token == v.TH:
            if self._reserved == self.question.cap:
                token = v.JOIN  # the cap is reached: whatever else it wanted to start, it waits now
            else:
                self._reserved += 1  # before the branch is written, or siblings would overspend the cap together
        before = thread.state
        thread.state = State.WAITING if token == v.JOIN else follow(before, token)
        yield Wrote(thread.index, token, thread.position)
        self._tokens += 1
        thread.trail.append(token)
        thread.position += 1
        blanked = self.question.blank_images and before is State.PAINTING
        thread.pending = [BLANK if blanked else token]
        yield from self._act(thread, token, before)
        if thread.pending and thread.state not in (State.ENDED, State.WAITING):
            yield from self._limit(thread)

    def _act(self, thread: Thread, token: int, before: State) -> Iterator[Happening]:
        """What a token does besides standing there."""
        match before:
            case State.SPAWNING:
                thread.children, thread.said = [], []
                thread.stem, thread.fork_at = self._lines.fork(thread.line), thread.position - 1
            case State.BRANCH if token in (v.TH, v.JOIN):
                yield from self._start(thread)
            case State.PAINTING:
                assert thread.canvas is not None
                thread.canvas.paint(thread.place, token - v.tile(0))
            case State.DRAWING if token == v.IMG_END:
                assert thread.canvas is not None
                yield Kept(thread.index, thread.canvas.copy())
            case State.RETURNING if thread.state is State.ENDED:
                yield from self._return(thread, settled=token == v.WIN)
            case State.ANSWERING | State.DECLINING if thread.state is State.ENDED:
                yield self._finish("answered" if before is State.ANSWERING else "declined")
            case State.NAMING | State.BRANCH | State.RETURNING | State.ANSWERING:
                thread.said.append(token)
        match thread.state:
            case State.DRAWING if thread.canvas is None:
                thread.canvas = self._canvas()
            case State.PAINTING:
                thread.place = token - v.place(0)
            case State.WAITING:
                thread.pending = []  # <join> is fed together with the returns
            case _ if thread.state is not before and thread.state in (State.RETURNING, State.ANSWERING):
                thread.said = []

    def _start(self, parent: Thread) -> Iterator[Happening]:
        """A child begins as soon as its branch is complete; it runs in the same steps as its parent."""
        branch, parent.said = parent.said, []
        canvas = None if parent.canvas is None else parent.canvas.copy()
        fed = [v.TH, *branch, *BEGINS]
        line = self._lines.fork(parent.stem)
        child = Thread(len(self.threads), line, parent, fed, parent.fork_at + len(fed), canvas=canvas)
        self.threads.append(child)
        parent.children.append(child)
        self._forced += len(fed)
        yield Started(child.index, parent.index, tuple(branch), parent.fork_at)
        yield from self._limit(child)

    def _return(self, child: Thread, settled: bool) -> Iterator[Happening]:
        yield Returned(child.index, tuple(child.said), settled)
        self._end(child)
        if settled and (parent := child.parent):
            for sibling in parent.children:
                yield from self._cancel(sibling, "another thread settled the question")
            yield from self._join(parent, [child])

    def _join(self, parent: Thread, returning: Sequence[Thread]) -> Iterator[Happening]:
        """Feed a parent what its children return, in one step; <join> too where it was interrupted before it wrote that."""
        returns = [token for child in returning if child.said for token in (v.RET, *child.said)]
        forced = returns if parent.state is State.WAITING else [v.JOIN, *returns]
        if forced:
            yield Fed(parent.index, tuple(forced), parent.position)
        parent.pending = [v.JOIN, *returns]
        parent.position += len(forced)
        self._forced += len(forced)
        parent.state, parent.said, parent.children = State.THOUGHT, [], []
        self._lines.close(parent.stem)
        parent.stem = None
        yield from self._limit(parent)

    def _limit(self, thread: Thread) -> Iterator[Happening]:
        """Cut a thread that has nowhere to go on."""
        ending: Ending = "stuck"
        if thread.position > self._context:
            reason = f"its thought is longer than the {self._context} tokens the model can see"
        elif is_repeating(thread.trail):
            reason = "its thought repeats itself"
        elif thread.written >= self.question.max_tokens:
            ending, reason = "cut", f"it wrote the {self.question.max_tokens} tokens it was allowed"
        else:
            return
        if thread.parent:
            yield from self._cancel(thread, reason)
            return
        for child in thread.children:
            yield from self._cancel(child, "the thread that asked for it was cut")
        yield self._finish(ending, reason)

    def _cancel(self, thread: Thread, reason: str) -> Iterator[Cancelled]:
        """End a thread and all that it started; they return nothing."""
        if thread.state is State.ENDED:
            return
        thread.said = []
        children = thread.children
        self._end(thread)
        yield Cancelled(thread.index, reason)
        for child in children:
            yield from self._cancel(child, reason)

    def _finish(self, ending: Ending, reason: str = "") -> Finished:
        answer = tuple(self.threads[0].said) if ending == "answered" else ()
        self.close()
        spawned = len(self.threads) - 1
        self.finished = Finished(answer, ending, reason, self._tokens, self._forced, self._steps, spawned)
        return self.finished

    def _end(self, thread: Thread) -> None:
        thread.state, thread.pending = State.ENDED, []
        for line in (thread.line, thread.stem):
            if line is not None:
                self._lines.close(line)
        thread.line = thread.stem = None
