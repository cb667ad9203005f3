"""The engine: requests in, events out. It carries out the tokens that the network writes.

In every step, all threads of all requests in a batch write one token each. A request gets the same answer in any batch, except
that a batch of another shape adds numbers in another order: logits differ by about 1e-6, which matters only if two tokens are that
close to equal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from musespark.errors import BadOption, QuestionTooLong
from musespark.nano import vocabulary as v
from musespark.nano.arrays import Floats
from musespark.nano.decode_session import Network
from musespark.nano.engine_events import EngineEvent
from musespark.nano.grammar import illegal_mask
from musespark.nano.sampling import choose
from musespark.nano.threads import CanvasLike, EngineRequest, ThreadTree
from musespark.nano.weights import DEFAULT, NanoConfig, load

MAX_THREADS = 64
"""Limit of `max_threads` (equal to `content.MAX_THREADS`, which this package does not import)."""


def new_canvas() -> CanvasLike:
    """Make an empty canvas. The drawing code is imported with the first image."""
    from musespark.nano.canvas import Canvas

    return Canvas()


class Batch:
    """Requests that are decoded together. Others may join between two steps (continuous batching)."""

    def __init__(self, network: Network, canvas: Callable[[], CanvasLike] = new_canvas) -> None:
        self._network, self._canvas = network, canvas
        self._session = network.new_session()
        self.trees: list[ThreadTree] = []

    def add(self, request: EngineRequest) -> ThreadTree:
        """Add a request; it takes part from the next step on. Raises BadOption or QuestionTooLong."""
        check_request(request, self._network.context)
        tree = ThreadTree(request, self._session, self._network.context, self._canvas)
        self.trees.append(tree)
        return tree

    def step(self) -> list[tuple[ThreadTree, EngineEvent]]:
        """Run one step of the network for every thread of every request; return the events."""
        threads = [(tree, thread) for tree in self.trees for thread in tree.ready()]
        logits = self._session.step([thread.take_input() for _, thread in threads])
        for (tree, thread), row in zip(threads, logits, strict=True):
            row += illegal_mask(thread.state, tree.role(thread))
            thread.chosen = choose(
                row,
                tree.request.temperature,
                tree.request.seed,
                thread.index,
                thread.generated_count,
            )
        events = [(tree, event) for tree in self.trees for event in tree.apply_tokens()]
        self.trees = [tree for tree in self.trees if not tree.finished]
        return events

    def abort(self, tree: ThreadTree) -> None:
        """Stop working on a request."""
        tree.close()
        self.trees.remove(tree)


class Engine:
    """Answers requests with one network. Calls share no mutable state, so any number may run in parallel."""

    def __init__(
        self,
        config: NanoConfig,
        tensors: Mapping[str, Floats],
        canvas: Callable[[], CanvasLike] = new_canvas,
    ) -> None:
        from musespark.nano.network import NumpyNetwork

        self.network: Network = NumpyNetwork(config, tensors)
        self._canvas = canvas

    @classmethod
    def from_file(cls, path: str | os.PathLike[str] = DEFAULT) -> Engine:
        """Load a weights file, by default the one in the package. Raises the errors of `weights.load`."""
        return cls(*load(path))

    @classmethod
    def of(cls, network: Network, canvas: Callable[[], CanvasLike] = new_canvas) -> Engine:
        """Wrap any network, for example a scripted one in a test."""
        engine = cls.__new__(cls)
        engine.network, engine._canvas = network, canvas
        return engine

    def run(
        self,
        prompt: Iterable[int],
        patches: Floats | None = None,
        mode: int = v.CONTEMPLATE,
        *,
        max_threads: int = 16,
        seed: int = 0,
        temperature: float = 0.0,
        max_tokens: int = 2048,
        ablate_images: bool = False,
    ) -> Iterator[EngineEvent]:
        """Answer one request.

        prompt: tokens as `trace.prompt` gives them; patches (64, 256): the image, where the prompt has <patch>; mode: the
        token <instant>, <think> or <contemplate>; max_threads: the most threads that may be spawned, 1 to 64; max_tokens: the most
        tokens each thread may write; blank_pictures: later tokens see white in place of every painted tile (an ablation).
        Raises BadOption or QuestionTooLong. Closing the iterator stops the work.
        """
        request = EngineRequest(
            list(prompt), mode, patches, max_threads, seed, temperature, max_tokens, ablate_images
        )
        for _, event in self.run_many([request], 1):
            yield event

    def run_many(
        self, requests: Iterable[EngineRequest], batch: int = 16
    ) -> Iterator[tuple[int, EngineEvent]]:
        """Answer many requests, up to `batch` at a time in the same steps; yield (index of the request, event).

        Each gets the answer it would get alone. A request is taken from the iterable when the batch has room for it.
        """
        waiting = enumerate(requests)
        together = Batch(self.network, self._canvas)
        numbers: dict[int, int] = {}
        while True:
            while len(together.trees) < batch and (following := next(waiting, None)):
                tree = together.add(following[1])
                numbers[id(tree)] = following[0]
                yield following[0], tree.first_event
            if not together.trees:
                return
            for tree, event in together.step():
                yield numbers[id(tree)], event


def check_request(request: EngineRequest, context: int) -> None:
    """Raise BadOption or QuestionTooLong if the engine cannot take the request."""
    if request.mode not in v.MODES.values():
        raise BadOption("mode", request.mode, "the token of a mode")
    if not 1 <= request.max_threads <= MAX_THREADS:
        raise BadOption("threads", request.max_threads, f"between 1 and {MAX_THREADS}")
    if request.max_tokens < 1:
        raise BadOption("max_tokens", request.max_tokens, "at least 1")
    if not 0 <= request.temperature < float("inf"):
        raise BadOption("temperature", request.temperature, "0 or more")
    pictured = list(request.prompt).count(v.PATCH)
    if pictured != (0 if request.patches is None else len(request.patches)):
        raise BadOption("patches", pictured, "one for every <patch> of the prompt")
    if len(request.prompt) + 1 >= context:
        around = sum(token in (v.BOS, v.PATCH) for token in request.prompt) + 2
        raise QuestionTooLong(len(request.prompt) + 2 - around, context - around)
