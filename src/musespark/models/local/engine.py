"""A loaded GGUF file: llama.cpp with one batch of slots, which all calls of this process share.

llama.cpp decodes in a thread of its own; each call waits for its tokens in a worker thread and hands them to its event loop. A
closed call ends with its next token, and its slot is free. There is one engine for a file in a process: it is loaded with its first
lease and closed with its last. While it loads, xllamacpp holds the interpreter: nothing else of this process runs.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from musespark.errors import ModelFailed
from musespark.models.local.loading import PrivateSocket, available_memory, kept_signals
from musespark.models.local.slots import Slot, Slots

Chunk: TypeAlias = dict[str, Any]
"""A chunk of llama.cpp's reply."""
WORK_BYTES = 300_000_000
"""Bytes that llama.cpp needs beside weights and cache, about."""
MAX_STATE_BYTES = 1_000_000_000
"""Bytes of a slot's state at most that is copied to others."""
PROMPT_BATCH = 256
"""Tokens of a prompt that are read in one step. Other calls write no token meanwhile, and a closed one is not noticed."""


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Options of an engine; equal ones share it."""

    name: str = field(compare=False)
    """Name of the model, for errors."""
    path: Path
    projector: Path | None = None
    slots: int
    context: int
    """Tokens of one slot."""
    threads: int
    cache_bytes_per_token: int
    weights_bytes: int

    @property
    def memory_bytes(self) -> int:
        """Bytes of memory that it needs, about."""
        cache = self.slots * self.context * self.cache_bytes_per_token
        return self.weights_bytes + cache + WORK_BYTES


class LlamaEngine:
    """llama.cpp with one file. The constructor loads it, which takes seconds."""

    def __init__(self, options: EngineOptions) -> None:
        """Raises `ModelFailed`."""
        self.options = options
        _require_memory(options)
        self._socket = PrivateSocket()
        try:
            self._server = self._load()
        except (
            Exception
        ) as error:  # xllamacpp raises many types; any of them means that there is no engine
            self._socket.remove()
            raise ModelFailed(
                options.name,
                f"llama.cpp cannot load {str(options.path)!r} ({_first_line(error)}); it may be damaged, of a kind that "
                "xllamacpp does not know yet, or too large for the memory",
            ) from None
        self._slots = Slots(options.slots)
        self._workers = ThreadPoolExecutor(options.slots, "musespark-gguf")

    def _load(self) -> Any:
        import xllamacpp

        options = self.options
        params = xllamacpp.CommonParams()
        self._socket.configure(params)
        params.model.path = str(options.path)
        if options.projector is not None:
            params.mmproj.path = str(options.projector)
        else:
            params.n_batch = params.n_ubatch = PROMPT_BATCH
        params.n_parallel = options.slots
        params.n_ctx = options.slots * options.context
        # A thread that polls takes the core that another one needs.
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads, cpu.poll = options.threads, 0
        # The slots' own contents are all that is kept of prompts, and nothing is logged: it would go to the terminal.
        params.cache_ram_mib, params.cache_idle_slots, params.verbosity = 0, False, 0
        params.fit_params, params.warmup, params.endpoint_metrics = False, False, True
        with kept_signals():
            server = xllamacpp.Server(params)
        # An answer shows that its loop runs: one that is ended before it has begun would never end.
        server.handle_metrics()
        return server

    async def stream(self, body: Chunk, prompt: tuple[str, ...]) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of a reply. prompt: hashes of the messages, which say what calls have in common.

        Closing it frees the slot within a token. Raises whatever llama.cpp raises.
        """
        loop, chunks = asyncio.get_running_loop(), asyncio.Queue[Chunk | None]()

        def put(chunk: Chunk | None) -> bool:
            try:
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            except RuntimeError:  # the loop is closed
                call.is_closed = True
            return call.is_closed

        call = _Call(body, prompt, put)
        self._slots.want(prompt)
        running = self._workers.submit(self._run, call)
        has_ended = False
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            has_ended = True
            await asyncio.wrap_future(running)
        finally:
            call.is_closed = True
            if running.cancel():
                self._forget(call.prompt)
                has_ended = True
            while not has_ended:
                has_ended = await chunks.get() is None

    def _forget(self, prompt: tuple[str, ...]) -> None:
        state = self._slots.unwant(prompt)
        if state is not None:
            for name in (state, f"{state}.ckpt"):  # the second of models with a sliding window
                with suppress(OSError):
                    (self._socket.directory / name).unlink(missing_ok=True)

    def _run(self, call: _Call) -> None:
        """Carry out a call in a worker thread."""
        slot = self._slots.take(call.prompt)
        try:
            self._slots.prepare(slot, call.prompt, _States(self, call))
            if not call.is_closed:
                body = {**call.body, "id_slot": slot.number}
                self._server.handle_chat_completions(body, call.put)
        finally:
            self._slots.give_back(slot, call.prompt)
            self._forget(call.prompt)
            call.put(None)

    def read_prompt(self, slot: Slot, call: _Call) -> int:
        """Read the prompt of a call into a slot, as long as any call wants it. Returns the number of its tokens; 0 if it was not
        read to its end."""
        tokens = 0

        def note(chunk: Chunk) -> bool:
            nonlocal tokens
            tokens = chunk.get("usage", {}).get("prompt_tokens", tokens)
            if call.is_closed:  # its stream ends now, and the prompt is read on for the others
                call.put(None)
            return call.is_closed and self._slots.wanted(call.prompt) < 2

        body = {**call.body, "max_tokens": 0, "id_slot": slot.number}
        with suppress(Exception):  # the call itself will fail in the same way, and tell
            self._server.handle_chat_completions(body, note)
        return tokens

    def act_on_slot(self, slot: Slot, action: str, state: str) -> bool:
        """Save the state of a slot in a file, or restore it. Returns true if that was done."""
        return self._socket.post(
            self._server.listening_address,
            f"/slots/{slot.number}?action={action}",
            {"filename": state},
        )

    def close(self) -> None:
        """End llama.cpp; waits for running calls."""
        self._workers.shutdown()
        self._server = None
        self._socket.remove()


@dataclass
class _Call:
    """A call on its way."""

    body: Chunk
    prompt: tuple[str, ...]
    put: Callable[[Chunk | None], bool]
    """Hands a chunk to the event loop; true if the call was closed. None is the end."""
    is_closed: bool = False


@dataclass
class _States:
    """States of slots as files in the engine's directory."""

    engine: LlamaEngine
    call: _Call

    @property
    def is_closed(self) -> bool:
        return self.call.is_closed

    def save(self, slot: Slot, state: str) -> bool:
        tokens = self.engine.read_prompt(slot, self.call)
        size = tokens * self.engine.options.cache_bytes_per_token
        return 0 < size <= MAX_STATE_BYTES and self.engine.act_on_slot(slot, "save", state)

    def restore(self, slot: Slot, state: str) -> bool:
        return self.engine.act_on_slot(slot, "restore", state)


def _require_memory(options: EngineOptions) -> None:
    """Raise `ModelFailed` if there is not enough memory; llama.cpp would be killed, and this process with it."""
    free = available_memory()
    if free is not None and options.memory_bytes > free:
        raise ModelFailed(
            options.name,
            f"it needs about {options.memory_bytes / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; choose a smaller "
            "file, or fewer slots or a smaller context in the configuration",
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


class LlamaEngines:
    """The engines of this process, one for equal options."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[EngineOptions, LlamaEngine] = {}
        self._holders: dict[EngineOptions, int] = {}

    def acquire(self, options: EngineOptions) -> LlamaEngine:
        """Return the engine; loads it if it is not. Raises `ModelFailed`."""
        with self._lock:
            if options not in self._open:
                self._open[options] = LlamaEngine(options)
            self._holders[options] = self._holders.get(options, 0) + 1
            return self._open[options]

    def release(self, options: EngineOptions) -> None:
        """Give an engine back; the last one closes it."""
        with self._lock:
            self._holders[options] -= 1
            if not self._holders[options]:
                del self._holders[options]
                self._open.pop(options).close()

    @property
    def count(self) -> int:
        """Number of loaded engines."""
        return len(self._open)

    @asynccontextmanager
    async def lease(self, options: EngineOptions) -> AsyncIterator[LlamaEngine]:
        """Lease an engine for a block. Loading and closing happen in a worker thread. Raises `ModelFailed`."""
        loop = asyncio.get_running_loop()
        acquiring = loop.run_in_executor(None, self.acquire, options)
        try:
            engine = await asyncio.shield(acquiring)
        except asyncio.CancelledError:
            await asyncio.wait([acquiring])
            if acquiring.exception() is None:
                await loop.run_in_executor(None, self.release, options)
            raise
        try:
            yield engine
        finally:
            await asyncio.shield(loop.run_in_executor(None, self.release, options))


ENGINES = LlamaEngines()
"""The one place that loads files: weights take gigabytes, and two copies of a file would take them twice."""
