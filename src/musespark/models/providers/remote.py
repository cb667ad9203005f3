"""Any provider's model behind the `Model` protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from musespark.content import Request
from musespark.errors import BadOption, MissingKey, ModelFailed, MuseError, NotInstalled
from musespark.models.model import Abilities, Delta, UsageDelta
from musespark.models.providers.connections import Connections, Open
from musespark.models.providers.conversation import outgoing
from musespark.models.providers.failures import broke_off, failure
from musespark.models.providers.plain import PlainReply, asked, body_of
from musespark.models.providers.prices import Price, listed_price
from musespark.models.providers.provider import Access, Profile, Provider, is_private
from musespark.models.providers.reply import Reply, refusal
from musespark.models.providers.request import parameters_of, refuse, settings_of
from musespark.usage import Usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model as Wire, StreamedResponse

SILENCE = 600.0
"""Seconds without a byte after which a request has failed; a model that reasons in secret may be silent for minutes."""
_NO_KEY = "none"
"""What is sent where a server wants no key, but its client library insists on one."""
_PROFILE = {"pictures_in": "supports_image_input", "tools": "supports_tools", "schema": "supports_json_schema_output",
            "effort": "supports_thinking", "tool_choice": "supports_forced_tool_choice", "context": "context_window"}
"""Abilities that pydantic-ai has beliefs of its own about."""


@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """What a person can configure about a model."""

    base_url: str | None = None
    key_env: str | None = None
    """The name of the environment variable that holds the key."""
    timeout: float = SILENCE
    price: Price | None = None
    abilities: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """What a request that leaves it open gets: temperature, top_p, seed, stop, max_tokens, effort."""


class RemoteModel:
    """A model of a provider. Making one imports its libraries, which takes seconds the first time; it reads no key, a call does.

    A call that ends early, closed or cancelled, closes its connection at once. See `connections` for how long clients live.
    """

    def __init__(self, provider: Provider, argument: str, options: RemoteOptions | None = None) -> None:
        """argument: the provider's name for the model. Raises `BadOption` and `NotInstalled`."""
        require(provider)
        self.provider = provider
        self.options = options or RemoteOptions()
        self.model, address = provider.split(argument)
        if not self.model:
            raise BadOption("model", f"{provider.kind}:", f"followed by the name of a model, as in {provider.kind}:NAME")
        found = provider.address(self.options.base_url or address)
        if found is None:
            raise BadOption("model", f"{provider.kind}:{argument}",
                            f"followed by its address, as in {provider.kind}:{self.model}@http://127.0.0.1:8000/v1")
        if not _is_address(found):
            raise BadOption("the address of a model", found, "a URL that begins with http:// or https://, without a query")
        self.address = found.rstrip("/")
        self._connections = Connections(self._wired, self.address, self.options.timeout)
        self.abilities = self._abilities()
        """What it can do: as configured, else by its profile."""

    @property
    def name(self) -> str:
        """The provider and the model; the address too, where it is part of the name."""
        at = f"@{self.address}" if self.provider.base_url is None else ""
        return f"{self.provider.kind}:{self.model}{at}"

    def __repr__(self) -> str:
        return f"RemoteModel({self.name!r})"

    @property
    def origin(self) -> str:
        """Whose signatures this model's are. A server of one's own may serve many models: each is its own."""
        whose = f":{self.model}" if self.provider.local else ""
        return f"{self.provider.kind}{whose}@{self.address}"

    @cached_property
    def profile(self) -> Profile:
        """What pydantic-ai knows about the model, and what was configured instead."""
        import httpx2

        # Never opened: a profile needs a model, and a model a client.
        profile: Profile = self._wired(httpx2.AsyncClient(verify=False, timeout=SILENCE), "").profile
        return profile

    @cached_property
    def price(self) -> Price | None:
        """US dollars per token: as configured, 0 on one's own machines, else the list price; None where nobody knows."""
        if self.options.price is not None:
            return self.options.price
        return Price(0.0, 0.0) if self.provider.local else listed_price(self.provider.price_list, self.model)

    def _abilities(self) -> Abilities:
        prompt, written = self.price or Price(0.0, 0.0)
        can = self.provider.abilities(self.model, self.profile)
        return replace(can, usd_per_prompt_token=prompt, usd_per_token=written, **{
            "one_machine": self.provider.local and is_private(self.address), **self.options.abilities})

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the key, or should."""
        return self.provider.key(self.options.key_env)[0]

    @property
    def has_key(self) -> bool:
        """Whether there is a key, or none is needed."""
        wanted = self.provider.needs_key or self.options.key_env is not None
        return not wanted or self.provider.key(self.options.key_env)[1] is not None

    def key(self) -> str:
        """The key, read now; empty where there is none and none is needed. Raises `MissingKey`."""
        variable, key = self.provider.key(self.options.key_env)
        if not self.has_key:
            raise MissingKey(self.name, variable)
        if key and not (key.isascii() and key.isprintable()):  # libraries would repeat it where they complain
            raise MissingKey(self.name, variable, unusable=True)
        return key or ""

    def _wired(self, http: Any, key: str | None = None) -> Wire:
        overrides = {_PROFILE[ability]: value for ability, value in self.options.abilities.items() if ability in _PROFILE}
        access = Access(self.address, (self.key() if key is None else key) or _NO_KEY)
        return self.provider.wire(self.model, access, http, overrides)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Keep connections between calls that follow each other in this event loop, until the block ends."""
        async with self._connections.lent():
            yield self

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Ask. Raises `BeyondModel` and `MissingKey` before anything is sent, `ModelFailed` or `RateLimited` after.

        A reply that breaks off after some of it has come ends without `Finish`, as the protocol has it.
        """
        request = self._with_defaults(request).as_images(self.provider.takes if self.abilities.videos_in else None)
        refuse(self.name, self.provider, self.abilities, self.profile, request)
        key = self.key()
        reply = Reply(self.name, self.origin, request, self.price or Price(0.0, 0.0),
                      listed=self.options.price is None and not self.provider.local)
        yield UsageDelta(Usage(calls=1))
        async with self._connections.lent() as line:
            failed: MuseError | None
            try:
                async with self._asked(line, request, key) as stream:
                    yield reply.begun()
                    async for event in stream:
                        for delta in reply.tell(event, stream):
                            yield delta
                    response = stream.get()
            except Exception as error:
                # What the libraries raise is no closed list; whatever it is, the call failed and the key stays here.
                failed = failure(error, self.name, self.model, self.address, self.key_variable, key)
                cut = broke_off(error)
            else:
                failed = _empty(self.name, self.address, response)
                cut = response.finish_reason is None
            # Outside of the handler: what is raised here must not carry the library's error, which holds the whole request.
            if cut and reply.said:
                return
            if failed is not None:
                raise failed
            for delta in reply.end(response):
                yield delta

    @asynccontextmanager
    async def _asked(self, line: Open[Wire], request: Request, key: str) -> AsyncIterator[StreamedResponse | PlainReply]:
        from pydantic_ai.direct import model_request_stream

        wire = line.made
        body = body_of(self.model, request, self.profile) if self.provider.plain else None
        if body is not None:
            access = Access(self.address, key or _NO_KEY)
            async with asked(line, access, body, wire.system, self.profile) as reply:
                yield reply
            return
        messages = outgoing(request.messages, self.origin, wire.system, self.provider.id_length)
        settings = settings_of(self.provider, self.profile, request)
        async with model_request_stream(wire, messages, model_settings=settings, model_request_parameters=parameters_of(request),
                                        instrument=False) as stream:
            yield stream

    def _with_defaults(self, request: Request) -> Request:
        """The request, with what was configured where it leaves something open."""
        open_ones = {option: value for option, value in self.options.sampling.items() if getattr(request, option) in (None, ())}
        return replace(request, **open_ones) if open_ones else request


def _empty(name: str, address: str, response: ModelResponse) -> ModelFailed | None:
    """The failure of a reply that ended without anything that could be an answer; None where it is one."""
    if response.finish_reason == "error":
        return ModelFailed(name, f"{address} ended its reply with an error; ask again")
    if response.parts or refusal(response):
        return None
    if response.finish_reason == "content_filter":
        return ModelFailed(name, "its provider's filter left nothing of the reply; ask differently")
    return ModelFailed(name, f"{address} ended its reply without an answer; ask again") if response.finish_reason is None else None


def _is_address(url: str) -> bool:
    """Whether the paths of an interface can follow it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return url.startswith(("http://", "https://")) and bool(parts.hostname) and not parts.query and port != 0


def require(provider: Provider) -> None:
    """Raise `NotInstalled` where the libraries of a provider are missing."""
    for library in ("pydantic_ai", provider.library):
        if not _is_there(library):
            raise NotInstalled(f"A model of {provider.kind}", library.partition(".")[0], "providers")


def _is_there(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False
