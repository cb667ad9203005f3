"""A GGUF file behind the `Model` protocol.

Agents of a team, and teams that work at the same time, share one loaded file and decode as one batch. The same seed gives the same
answer only as far as the arithmetic is the same: what else is in the batch may change the last bits of a number.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from musespark.content import Request
from musespark.errors import BeyondModel, ModelFailed, MuseError, NotInstalled
from musespark.models.capabilities import list_images, require_supported
from musespark.models.local.chat_body import SAMPLING, build_chat_body, prompt_texts
from musespark.models.local.chunks import ChunkTranslator
from musespark.models.local.engine import ENGINES, EngineOptions
from musespark.models.local.loading import available_memory, default_threads
from musespark.models.local.model_file import find_model_file, find_projector
from musespark.models.model import Abilities, Delta, UsageDelta
from musespark.usage import Usage

CONTEXT, SLOTS = 4096, 8
"""Tokens that an agent may hold and agents that decode at once, if the configuration does not say."""
MEMORY_SHARE = 0.25
"""Share of the free memory that the cache of the slots may take by default; fewer slots where all would take more."""
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/bmp")
LONGEST_SIDE = 2048


@dataclass(frozen=True, kw_only=True)
class GGUFOptions:
    """A person's configuration of a model."""

    threads: int | None = None
    slots: int | None = None
    projector: str | None = None
    """File of the projector with which the model reads images."""
    abilities: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of temperature, top_p, seed, stop, max_tokens and effort for requests that leave them open."""
    llama_sampling: Mapping[str, float] = field(default_factory=dict)
    """Further defaults of sampling, under llama.cpp's names."""


class GGUFModel:
    """A language model in a GGUF file. The constructor reads the head of the file; the first call loads it."""

    def __init__(self, argument: str, options: GGUFOptions | None = None) -> None:
        """argument: a file, or the name of a packaged one. Raises `BadOption`, `MissingFile` or `NotInstalled`."""
        if find_spec("xllamacpp") is None:
            raise NotInstalled(f"The model gguf:{argument}", "xllamacpp", "local")
        self.options = options or GGUFOptions()
        self.name = f"gguf:{argument}"
        """`gguf:` and the file, or the name of a packaged one."""
        self.head = find_model_file(argument)
        self._projector = find_projector(self.options.projector) if self.options.projector else None
        self.abilities = self._abilities()
        """Abilities, by the head of the file and the configuration."""
        self.engine_options = self._build_engine_options()
        """Options of the engine that it leases; models with equal ones share it."""

    def __repr__(self) -> str:
        return f"GGUFModel({self.name!r})"

    def _abilities(self) -> Abilities:
        template = self.head.chat_template
        has_tools = "tools" in template
        trained = self.head.trained_context or CONTEXT
        can = Abilities(
            pictures_in=self._projector is not None,
            longest_side=LONGEST_SIDE,
            context=min(CONTEXT, trained),
            in_process=True,
            conversation=True,
            tools=has_tools,
            tool_choice=has_tools,
            top_p=True,
            stop=True,
            schema=True,
            effort="enable_thinking" in template,
            sampling=frozenset((*SAMPLING, "logit_bias")),
        )
        can = replace(can, **self.options.abilities)
        return replace(can, context=min(can.context, trained))

    def _build_engine_options(self) -> EngineOptions:
        context, per_token = self.abilities.context, self.head.cache_bytes_per_token
        return EngineOptions(
            name=self.name,
            path=self.head.path,
            projector=self._projector.path if self._projector is not None else None,
            slots=self.options.slots or default_slots(self.head.path, context * per_token),
            context=context,
            threads=self.options.threads or default_threads(),
            cache_bytes_per_token=per_token,
            weights_bytes=self.head.file_bytes
            + (self._projector.file_bytes if self._projector is not None else 0),
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Keep the file loaded between calls that follow each other, until the block ends."""
        async with ENGINES.lease(self.engine_options):
            yield self

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Answer a request. Raises `BeyondModel` before anything is decoded, `ModelFailed` after."""
        request = self._with_defaults(request).as_images()
        require_supported(self, request)
        for image in list_images(request):
            if image.media_type not in IMAGE_TYPES:
                raise BeyondModel(
                    self.name, f"read images of the type {image.media_type}", "send it as image/png"
                )
        body = build_chat_body(request, self.options.llama_sampling)
        translator = ChunkTranslator(self.name, self.engine_options.context)
        yield UsageDelta(Usage(calls=1))
        async with ENGINES.lease(self.engine_options) as engine:
            failed: MuseError | None = None
            try:
                async with aclosing(engine.stream(body, prompt_texts(body))) as chunks:
                    async for chunk in chunks:
                        for delta in translator.translate(chunk):
                            yield delta
            except (RuntimeError, ValueError) as error:  # what llama.cpp's own code raises
                failed = self._to_error(request, error)
            if failed is not None:
                raise failed
            for delta in translator.end():
                yield delta

    def _to_error(self, request: Request, error: Exception) -> MuseError:
        reason = " ".join(str(error).split())[:300].rstrip(".")
        if request.schema is not None and "schema" in reason:
            return BeyondModel(
                self.name,
                f"be held to this schema ({reason})",
                "simplify it, or describe the form in the question",
            )
        return ModelFailed(self.name, f"llama.cpp refused the request ({reason})")

    def _with_defaults(self, request: Request) -> Request:
        """The request, with configured defaults for the options that it leaves open."""
        defaults = {
            option: value
            for option, value in self.options.sampling.items()
            if getattr(request, option) in (None, ())
        }
        return replace(request, **defaults) if defaults else request


@functools.lru_cache(maxsize=64)
def default_slots(path: Path, per_slot: int) -> int:
    """Number of agents that decode at once: as many as the usual team has, fewer where their cache would take too much memory.

    path: the model, for which it is decided once: the memory that it takes itself changes nothing.
    per_slot: bytes of a slot's cache.
    """
    free = available_memory()
    if free is None or not per_slot:
        return SLOTS
    return max(1, min(SLOTS, int(free * MEMORY_SHARE / per_slot)))
