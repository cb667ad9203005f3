"""The models that clients can name: each is made once, and its connections are kept."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, nullcontext
from typing import Any

from musespark.config import Config
from musespark.content import Mode
from musespark.errors import MuseError, UnknownModel
from musespark.models.model import Model, held_open
from musespark.models.providers.remote import RemoteModel
from musespark.models.registry import PROVIDERS, model_named, provider_named, require_key
from musespark.server.errors import RequestRefused

NATIVE = "nano"
_MOST = 64
"""ModelCatalog that are kept; a client may name as many as its provider has."""


_ABILITIES = {"pictures": "pictures_in", "videos": "videos_in", "draws": "pictures_out", "tools": "tools", "team": "native_spawn",
              "conversation": "conversation", "effort": "effort"}
"""What a page is told of a model, and what that is among its abilities."""


def require_prices(models: Iterable[Model]) -> None:
    """Raise `RequestRefused` where nobody knows what a model costs: whoever has a budget in dollars could spend any number of them."""
    for model in models:
        if isinstance(model, RemoteModel) and model.price is None:
            raise RequestRefused(f"Nobody knows what {model.name} costs, and this key has a budget in dollars; ask another model, or "
                          "whoever runs this server to give its prices in the configuration.", status=503, code="no_price",
                          param="model")


class Models:
    """Names to models."""

    def __init__(self, config: Config | None = None, given: Mapping[str, Model] | None = None) -> None:
        """given: ready models by name, beside those of the configuration."""
        self.config = config or Config()
        self._given = dict(given or {})
        self._made: OrderedDict[str, Model] = OrderedDict()
        self._held: dict[str, AsyncExitStack] = {}
        self._importing = asyncio.Lock()
        """One provider's library at a time: threads that import parts of the same one see halves of it."""
        self._loading = asyncio.Lock()
        self._making: dict[str, asyncio.Task[Model]] = {}

    @property
    def names(self) -> list[str]:
        """The models of this server by name: given, configured, the native one."""
        return list(dict.fromkeys((*self._given, *self.config.models, NATIVE)))

    @property
    def listed(self) -> list[str]:
        """Every name that is offered: the modes, and each mode over each model."""
        modes = [mode.value for mode in (Mode.INSTANT, Mode.THINKING, Mode.CONTEMPLATING)]
        over = [f"{mode}/{name}" for name in self.names for mode in modes[1:]]
        return [*modes, *self.names, *over]

    async def about(self, name: str) -> dict[str, Any]:
        """What a listed name can do and what it costs, JSON-ready: of a mode, what all can who would think about it.

        `ready` is false, with a sentence in `why`, where something is missing: a key, a library, weights.
        """
        before, _, after = name.partition("/")
        over = before in list(Mode)
        asked = [after or name] if after or not over else list(self.config.roles.explorer or (NATIVE,))
        try:
            found = [await self._known(each) for each in asked]
            for model in found:
                if isinstance(model, RemoteModel):
                    model.key()
        except MuseError as error:
            return {"ready": False, "why": str(error)}
        can = {ability: all(getattr(model.abilities, field) for model in found) for ability, field in _ABILITIES.items()}
        return {"ready": True, "why": "", "models": asked, **can,
                "context": min(model.abilities.context for model in found), "price": _price(found[0]) if len(found) == 1 else None}

    async def named(self, name: str) -> Model:
        """The model of that name, with its connections kept from now on. Raises `UnknownModel`, and what making it raises.

        A client may name a provider's model, and no address or file: those are for the configuration to say.
        """
        found = await self._known(name)
        if name in self._made and name not in self._held:
            held = self._held[name] = AsyncExitStack()
            try:
                await held.enter_async_context(held_open(found))
            except BaseException:
                del self._held[name]
                raise
        return found

    async def _known(self, name: str) -> Model:
        """The model of that name, which nothing is asked of."""
        found = self._given.get(name) or self._made.get(name)
        if found is None:
            self._require_nameable(name)
            making = self._making.get(name)
            if making is None:
                making = self._making[name] = asyncio.create_task(self._make(name))
                making.add_done_callback(lambda done: self._making.pop(name) and (done.cancelled() or done.exception()))
            found = await asyncio.shield(making)  # who leaves meanwhile stops no import
        if name in self._made:
            self._made.move_to_end(name)
        return found

    def _require_nameable(self, name: str) -> None:
        kind, _, argument = name.partition(":")
        configured = name in self.config.models
        if not (configured or name == NATIVE or (kind in PROVIDERS and argument)) or (not configured and "@" in argument):
            raise UnknownModel(name, self.listed)
        require_key(name, self.config)

    def _kind(self, name: str) -> str:
        configured = self.config.models.get(name)
        return (name if configured is None else configured.model).partition(":")[0]

    async def _make(self, name: str) -> Model:
        kind = self._kind(name)
        async with self._importing if kind in PROVIDERS else self._loading:
            # A provider's library takes a second to import: others are served meanwhile.
            new = kind in PROVIDERS and provider_named(kind).library not in sys.modules
            with _no_collection() if new else nullcontext():
                made = self._made[name] = await asyncio.to_thread(model_named, name, self.config)
        if len(self._made) > _MOST:
            await self._drop(next(iter(self._made)))
        return made

    async def _drop(self, name: str) -> None:
        del self._made[name]
        held = self._held.pop(name, None)
        if held is not None:
            await held.aclose()

    async def aclose(self) -> None:
        """Close every connection that is kept."""
        for name in list(self._made):
            await self._drop(name)

    async def warm(self) -> None:
        """Load what the native model needs, so that its first answer comes as fast as the others; what fails, fails again then."""
        from musespark.models.nano import engine_of

        try:
            await asyncio.to_thread(engine_of, None)
        except MuseError:
            return


@contextmanager
def _no_collection() -> Iterator[None]:
    """While a library is imported, garbage is not collected: looking through all that it makes, over and over, would stop everybody
    else for tenths of a second. What it has made stays, and is not looked through later either."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def _price(model: Model) -> dict[str, float] | None:
    """Dollars for a million tokens, read and written; None where nobody knows."""
    if getattr(model, "price", True) is None:
        return None
    can = model.abilities
    return {"prompt": can.usd_per_prompt_token * 1e6, "written": can.usd_per_token * 1e6}
