"""The models that clients can name; each is made once and keeps its connections."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

from musespark.config import Config
from musespark.content import Mode
from musespark.errors import MissingKey, MuseError, UnknownModel
from musespark.models.local.model_file import PACKAGED
from musespark.models.model import Model, open_model
from musespark.models.providers.adapter.remote import RemoteModel
from musespark.models.registry import LOCAL, PROVIDERS, create_model, require_key
from musespark.server.errors import RequestRefused

NATIVE = "nano"
_MAX_MODELS = 64
"""Models kept at once; a client may name any model of a provider."""

_ABILITIES = {
    "pictures": "pictures_in",
    "videos": "videos_in",
    "draws": "pictures_out",
    "tools": "tools",
    "team": "native_spawn",
    "conversation": "conversation",
    "effort": "effort",
}
"""Names of abilities in `GET /v1/models`, and the fields of `Abilities` they stand for."""


def require_prices(models: Iterable[Model]) -> None:
    """Raise `RequestRefused` for a model of unknown price: a budget in dollars could not limit it."""
    for model in models:
        if isinstance(model, RemoteModel) and model.price is None:
            raise RequestRefused(
                f"The price of {model.name} is not known, and this key has a budget in dollars; choose another "
                "model, or have its prices set in the server's configuration.",
                status=503,
                code="no_price",
                param="model",
            )


class ModelCatalog:
    """Models by name."""

    def __init__(
        self, config: Config | None = None, given: Mapping[str, Model] | None = None
    ) -> None:
        """given: ready models by name, beside those of the configuration."""
        self.config = config or Config()
        self._given = dict(given or {})
        self._made: OrderedDict[str, Model] = OrderedDict()
        self._held: dict[str, AsyncExitStack] = {}
        self._replaced: list[AsyncExitStack] = []
        self._importing = asyncio.Lock()
        """Held while a provider's library is imported: threads that import parts of the same library see it half imported."""
        self._loading = asyncio.Lock()
        self._making: dict[str, asyncio.Task[Model]] = {}

    def reload(self, config: Config) -> None:
        """Use another configuration, with models made anew; those before keep their connections until `close_replaced`."""
        self.config, self._making = config, {}
        self._replaced += self._held.values()
        self._held, self._made = {}, OrderedDict()

    async def close_replaced(self) -> None:
        """Close the connections of models before a reload."""
        while self._replaced:
            await self._replaced.pop().aclose()

    @property
    def names(self) -> list[str]:
        """Names of this server's models: given, configured, and the native one."""
        return list(dict.fromkeys((*self._given, *self.config.models, NATIVE)))

    @property
    def listed(self) -> list[str]:
        """All names offered: modes, models, and `MODE/MODEL`."""
        modes = [mode.value for mode in (Mode.INSTANT, Mode.THINKING, Mode.CONTEMPLATING)]
        over = [f"{mode}/{name}" for name in self.names for mode in modes[1:]]
        return [*modes, *self.names, *over]

    async def describe(self, name: str) -> dict[str, Any]:
        """Return abilities and price of a listed name as JSON; of a mode, the abilities that all its models have.

        `ready` is false, with a sentence in `why`, if a key, a library or weights are missing.
        """
        _, model_name = self.split_mode(name)
        names = [model_name] if model_name else list(self.config.roles.explorer or (NATIVE,))
        try:
            found = [await self._known(each) for each in names]
            for model in found:
                if isinstance(model, RemoteModel):
                    model.read_key()
        except MuseError as error:
            return {"ready": False, "why": str(error)}
        can = {
            ability: all(getattr(model.abilities, field) for model in found)
            for ability, field in _ABILITIES.items()
        }
        return {
            "ready": True,
            "why": "",
            "models": names,
            **can,
            "context": min(model.abilities.context for model in found),
            "price": _price(found[0]) if len(found) == 1 else None,
        }

    def split_mode(self, name: str) -> tuple[Mode | None, str]:
        """Split `MODE/MODEL`. The name of a model may have slashes, too, and wins where it is one of this server's own."""
        before, _, after = name.partition("/")
        if before not in list(Mode) or (
            after and (name in self._given or name in self.config.models)
        ):
            return None, name
        return Mode(before), after

    async def named(self, name: str) -> Model:
        """Return the model of that name and keep its connections open. Raises `UnknownModel`, and what making it raises.

        A client may name a provider's model, but no address and no file: only the configuration may.
        """
        found = await self._known(name)
        if self._made.get(name) is found and name not in self._held:
            held = self._held[name] = AsyncExitStack()
            try:
                await held.enter_async_context(open_model(found))
            except BaseException:
                del self._held[name]
                raise
        return found

    async def _known(self, name: str) -> Model:
        """Return the model of that name without opening connections."""
        found = self._given.get(name) or self._made.get(name)
        if found is None:
            self._require_nameable(name)
            making = self._making.get(name)
            if making is None:
                making = self._making[name] = asyncio.create_task(self._make(name))
                making.add_done_callback(partial(self._end_making, name))
            found = await asyncio.shield(making)  # a client that disconnects stops no import
        if name in self._made:
            self._made.move_to_end(name)
        return found

    def _end_making(self, name: str, done: asyncio.Task[Model]) -> None:
        if self._making.get(name) is done:  # else it was made by a configuration before
            del self._making[name]
        if not done.cancelled():
            done.exception()  # raised by those that wait for it

    def _require_nameable(self, name: str) -> None:
        kind, _, argument = name.partition(":")
        configured = name in self.config.models
        known = name == NATIVE or (kind in PROVIDERS and argument)
        packaged = kind in LOCAL and argument in PACKAGED
        if not (configured or known or packaged) or (not configured and "@" in argument):
            raise UnknownModel(name, self.listed)
        try:
            require_key(name, self.config)
        except MissingKey as error:
            raise MissingKey(name, error.variable, error.unusable) from None

    def _kind(self, name: str) -> str:
        configured = self.config.models.get(name)
        return (name if configured is None else configured.model).partition(":")[0]

    async def _make(self, name: str) -> Model:
        kind, config = self._kind(name), self.config
        async with self._importing if kind in PROVIDERS else self._loading:
            # A provider's library takes a second to import: other requests are served meanwhile.
            made = await asyncio.to_thread(create_model, name, config)
        if isinstance(made, RemoteModel):
            made.alias = name
        if (
            config is not self.config
        ):  # it was read again meanwhile: only the requests before it use this model
            return made
        self._made[name] = made
        if len(self._made) > _MAX_MODELS:
            await self._drop(next(iter(self._made)))
        return made

    async def _drop(self, name: str) -> None:
        del self._made[name]
        held = self._held.pop(name, None)
        if held is not None:
            await held.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        for name in list(self._made):
            await self._drop(name)
        await self.close_replaced()

    async def warm_up(self) -> None:
        """Load the models of this process: the native one, and what has a role, for nothing else is served while a file loads. A
        failure is raised by the first request."""
        from musespark.models.nano import load_engine

        with suppress(MuseError):
            await asyncio.to_thread(load_engine, None)
        roles = self.config.roles
        for name in dict.fromkeys((*roles.explorer, roles.refiner, roles.judge, roles.merger)):
            if name is not None and self._kind(name) in LOCAL:
                with suppress(MuseError):
                    await self.named(name)


def _price(model: Model) -> dict[str, float] | None:
    """Return dollars per million prompt tokens and written tokens; None if unknown."""
    if getattr(model, "price", True) is None:
        return None
    can = model.abilities
    return {"prompt": can.usd_per_prompt_token * 1e6, "written": can.usd_per_token * 1e6}
