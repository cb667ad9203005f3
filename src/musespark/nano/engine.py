"""The engine: questions in, happenings out. It obeys the tokens that the network writes.

In every step all threads of all questions that share a batch write one token each. What a question gets does not depend on its
company, except that a batch of another shape adds in another order: logits differ by about 1e-6, which decides only where two
tokens are that close to equal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from musespark.errors import BadOption, QuestionTooLong
from musespark.nano import vocabulary as v
from musespark.nano.grammar import forbidden
from musespark.nano.happenings import Happening
from musespark.nano.lines import Network
from musespark.nano.sampling import choose
from musespark.nano.threads import Canvas, Question, Run
from musespark.nano.weights import DEFAULT, NanoConfig, load

MOST_THREADS = 64
"""As many as a request may ask for (`content.MAX_THREADS`, which is of the house and not imported here)."""


def paper() -> Canvas:
    """An empty canvas; what draws it is loaded when the first picture is begun."""
    from musespark.nano.canvas import Canvas as Sheet

    return Sheet()


class Batch:
    """Questions that are decoded together. Others may join between two steps."""

    def __init__(self, network: Network, canvas: Callable[[], Canvas] = paper) -> None:
        self._network, self._canvas = network, canvas
        self._lines = network.lines()
        self.runs: list[Run] = []

    def ask(self, question: Question) -> Run:
        """Let a question take part from the next step on. Raises BadOption or QuestionTooLong."""
        check(question, self._network.context)
        run = Run(question, self._lines, self._network.context, self._canvas)
        self.runs.append(run)
        return run

    def step(self) -> list[tuple[Run, Happening]]:
        """One step of the network for every thread of every question, and what comes of it."""
        threads = [(run, thread) for run in self.runs for thread in run.ready()]
        logits = self._lines.step([thread.feed() for _, thread in threads])
        for (run, thread), row in zip(threads, logits, strict=True):
            row += forbidden(thread.state, run.role(thread))
            thread.chosen = choose(row, run.question.temperature, run.question.seed, thread.index, thread.written)
        happenings = [(run, happening) for run in self.runs for happening in run.obey()]
        self.runs = [run for run in self.runs if not run.finished]
        return happenings

    def drop(self, run: Run) -> None:
        """Stop working on a question."""
        run.close()
        self.runs.remove(run)


class Engine:
    """Answers questions with one network. Calls do not share anything that is written to: any number may run side by side."""

    def __init__(
        self, config: NanoConfig, tensors: Mapping[str, np.ndarray], canvas: Callable[[], Canvas] = paper
    ) -> None:
        from musespark.nano.network import NumpyNetwork

        self.network: Network = NumpyNetwork(config, tensors)
        self._canvas = canvas

    @classmethod
    def from_file(cls, path: str | os.PathLike[str] = DEFAULT) -> Engine:
        """The engine of a weights file, by default of the one that ships with the package. Raises what `weights.load` raises."""
        return cls(*load(path))

    @classmethod
    def of(cls, network: Network, canvas: Callable[[], Canvas] = paper) -> Engine:
        """An engine around any network: a scripted one in a test, say."""
        engine = cls.__new__(cls)
        engine.network, engine._canvas = network, canvas
        return engine

    def run(
        self,
        prompt: Iterable[int],
        patches: np.ndarray | None = None,
        mode: int = v.CONTEMPLATE,
        *,
        cap: int = 16,
        seed: int = 0,
        temperature: float = 0.0,
        max_tokens: int = 2048,
        blank_images: bool = False,
    ) -> Iterator[Happening]:
        """Answer one question.

        prompt: tokens as `trace.prompt` gives them; patches (64, 256): the picture, where the prompt has <patch>; mode: the
        token <instant>, <think> or <contemplate>; cap: how many threads may be spawned, 1 to 64; max_tokens: how many tokens
        each thread may write; blank_pictures: what a thread paints is seen by later tokens as white (to measure what the
        pictures are worth). Raises BadOption or QuestionTooLong. Whoever stops listening stops the work.
        """
        question = Question(list(prompt), mode, patches, cap, seed, temperature, max_tokens, blank_images)
        for _, happening in self.run_many([question], 1):
            yield happening

    def run_many(self, questions: Iterable[Question], batch: int = 16) -> Iterator[tuple[int, Happening]]:
        """Answer many questions, up to `batch` at a time in the same steps: (index of the question, happening).

        Each gets what it would get alone. A question is taken from the iterable when there is room for it.
        """
        waiting = enumerate(questions)
        together = Batch(self.network, self._canvas)
        numbers: dict[int, int] = {}
        while True:
            while len(together.runs) < batch and (following := next(waiting, None)):
                run = together.ask(following[1])
                numbers[id(run)] = following[0]
                yield following[0], run.opening
            if not together.runs:
                return
            for run, happening in together.step():
                yield numbers[id(run)], happening


def check(question: Question, context: int) -> None:
    """Raise BadOption or QuestionTooLong where the engine cannot take the question."""
    if question.mode not in v.MODES.values():
        raise BadOption("mode", question.mode, "the token of a mode")
    if not 1 <= question.cap <= MOST_THREADS:
        raise BadOption("threads", question.cap, f"between 1 and {MOST_THREADS}")
    if question.max_tokens < 1:
        raise BadOption("max_tokens", question.max_tokens, "at least 1")
    if not 0 <= question.temperature < float("inf"):
        raise BadOption("temperature", question.temperature, "0 or more")
    pictured = list(question.prompt).count(v.PATCH)
    if pictured != (0 if question.patches is None else len(question.patches)):
        raise BadOption("patches", pictured, "one for every <patch> of the prompt")
    if len(question.prompt) + 1 >= context:
        around = sum(token in (v.BOS, v.PATCH) for token in question.prompt) + 2
        raise QuestionTooLong(len(question.prompt) + 2 - around, context - around)
