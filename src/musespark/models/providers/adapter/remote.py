"""A provider's model behind the `Model` protocol."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from musespark.config import without_credentials
from musespark.content import Request
from musespark.errors import (
    BadEnvironment,
    BadOption,
    MissingKey,
    ModelFailed,
    MuseError,
    NotInstalled,
)
from musespark.models.model import Abilities, Delta, UsageDelta
from musespark.models.providers.adapter.chat_fastpath import (
    ChatStream,
    build_body,
    is_plain_http,
    open_stream,
)
from musespark.models.providers.adapter.connections import ClientLease, Connections
from musespark.models.providers.adapter.conversation import to_provider_messages
from musespark.models.providers.adapter.environment import require_usable_environment
from musespark.models.providers.adapter.failures import is_broken_off, to_muse_error
from musespark.models.providers.adapter.rejections import discreet_error, with_context_exceeded
from musespark.models.providers.adapter.reply import ResponseTranslator, find_end, get_refusal
from musespark.models.providers.adapter.request import (
    build_parameters,
    build_settings,
    require_supported_by_provider,
)
from musespark.models.providers.base import Access, Profile, Provider, is_private
from musespark.models.providers.prices import Price, get_list_price
from musespark.usage import Usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model as PydanticModel, StreamedResponse

_LOG = logging.getLogger(__name__)
DEFAULT_TIMEOUT = 600.0
"""Seconds without a byte after which a request has failed; a model that does not stream its reasoning may be silent for
minutes."""
_NO_KEY = "none"
"""Key sent to a server that needs none, because its client library requires one."""
_PROFILE_FIELDS = {
    "pictures_in": "supports_image_input",
    "tools": "supports_tools",
    "schema": "supports_json_schema_output",
    "effort": "supports_thinking",
    "tool_choice": "supports_forced_tool_choice",
    "context": "context_window",
}
"""Abilities that pydantic-ai's profile has, under its names."""


@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """A person's configuration of a model."""

    base_url: str | None = None
    key_env: str | None = None
    """Name of the environment variable that holds the key."""
    timeout: float = DEFAULT_TIMEOUT
    price: Price | None = None
    abilities: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of temperature, top_p, seed, stop, max_tokens and effort for requests that leave them open."""


class RemoteModel:
    """A model of a provider. The constructor imports its libraries, which takes seconds the first time; a call reads the key.

    A call that ends early, closed or cancelled, closes its connection at once. See `connections` for the lifetime of clients.
    """

    def __init__(
        self, provider: Provider, argument: str, options: RemoteOptions | None = None
    ) -> None:
        """argument: the provider's name for the model. Raises `BadOption` and `NotInstalled`."""
        require_libraries(provider)
        self.provider = provider
        self.options = options or RemoteOptions()
        self.model, address = provider.parse_argument(argument)
        if not self.model:
            raise BadOption(
                "model",
                f"{provider.kind}:",
                f"followed by the name of a model, as in {provider.kind}:NAME",
            )
        found = provider.find_address(self.options.base_url or address)
        if found is None:
            raise BadOption(
                "model",
                f"{provider.kind}:{argument}",
                f"followed by its address, as in {provider.kind}:{self.model}@http://127.0.0.1:8000/v1",
            )
        variable = provider.find_address_variable()
        if not _is_base_url(found) and variable and not (self.options.base_url or address):
            raise BadEnvironment(
                variable,
                "it is not the address of a server",
                "set it to a URL that begins with http:// or https://, without a query, or unset it",
            )
        if not _is_base_url(found):
            raise BadOption(
                "the address of a model",
                without_credentials(found),
                "a URL that begins with http:// or https://, without a query",
            )
        self.address = found.rstrip("/")
        self._has_fast_path = provider.has_fast_path and is_plain_http(self.address)
        self._is_own = provider.is_local or self.address != provider.base_url
        """True for a server of one's own, which may depart from what the provider does."""
        self._connections = Connections(
            self._build_model,
            self.address,
            self.options.timeout,
            self._has_fast_path,
            normalized_path=provider.normalized_path if self._is_own else None,
        )
        self.alias: str | None = None
        """Name by which strangers know it: it then stands in place of `name`, and errors tell no address."""
        self.abilities = self._abilities()
        """Abilities: as configured, else by its profile."""

    @property
    def shown_address(self) -> str:
        """Address of the server, without the credentials that its URL may hold."""
        return without_credentials(self.address)

    @property
    def name(self) -> str:
        """Alias, or else provider and model, with the address if the provider has no default one."""
        if self.alias is not None:
            return self.alias
        at = f"@{self.shown_address}" if self.provider.base_url is None else ""
        return f"{self.provider.kind}:{self.model}{at}"

    def __repr__(self) -> str:
        return f"RemoteModel({self.name!r})"

    @property
    def origin(self) -> str:
        """Owner of this model's signatures. A local server may serve many models, and each owns its own."""
        model = f":{self.model}" if self.provider.is_local else ""
        return f"{self.provider.kind}{model}@{self.address}"

    @cached_property
    def profile(self) -> Profile:
        """pydantic-ai's profile of the model, with the configured corrections."""
        import httpx2

        # This client is never used: a profile needs a model, and a model needs a client.
        profile: Profile = self._build_model(
            httpx2.AsyncClient(verify=False, trust_env=False, timeout=DEFAULT_TIMEOUT), ""
        ).profile
        return profile

    @cached_property
    def price(self) -> Price | None:
        """US dollars per token: as configured, 0 for a local server, else the list price; None if it is unknown."""
        if self.options.price is not None:
            return self.options.price
        return (
            Price(0.0, 0.0)
            if self.provider.is_local
            else get_list_price(self.provider.price_list, self.model)
        )

    def _abilities(self) -> Abilities:
        prompt, written = self.price or Price(0.0, 0.0)
        can = self.provider.abilities(self.model, self.profile)
        return replace(
            can,
            usd_per_prompt_token=prompt,
            usd_per_token=written,
            **{
                "one_machine": self.provider.is_local and is_private(self.address),
                **self.options.abilities,
            },
        )

    @property
    def key_variable(self) -> str:
        """Environment variable that holds the key, or should."""
        return self.provider.find_key(self.options.key_env)[0]

    @property
    def has_key(self) -> bool:
        """True if there is a key, or none is needed."""
        needed = self.provider.needs_key or self.options.key_env is not None
        return not needed or self.provider.find_key(self.options.key_env)[1] is not None

    def read_key(self) -> str:
        """Read the key; empty if there is none and none is needed. Raises `MissingKey`."""
        variable, key = self.provider.find_key(self.options.key_env)
        if not self.has_key:
            raise MissingKey(self.name, variable)
        if key and not (
            key.isascii() and key.isprintable()
        ):  # libraries would repeat it in their errors
            raise MissingKey(self.name, variable, unusable=True)
        return key or ""

    def _build_model(self, http: Any, key: str | None = None) -> PydanticModel:
        configured = self.options.abilities
        overrides = {
            field: configured[ability]
            for ability, field in _PROFILE_FIELDS.items()
            if ability in configured
        }
        access = Access(self.address, (self.read_key() if key is None else key) or _NO_KEY)
        try:
            return self.provider.build_model(self.model, access, http, overrides)
        except (ImportError, OSError, ValueError):
            # Some SDKs make clients of their own, which are never used, and read the environment for them.
            require_usable_environment()
            raise

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Keep connections between calls that follow each other in this event loop, until the block ends."""
        async with self._connections.lease():
            yield self

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """Send a request and stream its reply.

        Raises `BeyondModel`, `MissingKey` and `BadEnvironment` before anything is sent, `ModelFailed` or `RateLimited` after. A
        reply that breaks off after its first text ends without `Finish`, as the protocol defines it.
        """
        request = self._with_defaults(request).as_images(
            self.provider.accepts_video if self.abilities.videos_in else None
        )
        require_supported_by_provider(self, self.provider, self.profile, request)
        key = self.read_key()
        translator = ResponseTranslator(
            self.name,
            self.origin,
            request,
            self.price or Price(0.0, 0.0),
            has_list_price=self.options.price is None and not self.provider.is_local,
            splits_thoughts=self._is_own,
        )
        yield UsageDelta(Usage(calls=1))
        async with self._connections.lease() as lease:
            failed: MuseError | None
            try:
                async with self._open_stream(lease, request, key) as stream:
                    yield translator.begin()
                    async for event in stream:
                        for delta in translator.translate(event, stream):
                            yield delta
                    response = stream.get()
            except Exception as error:
                # The libraries raise many types; any of them means that the call failed, and none may show the key.
                failed = to_muse_error(
                    error, self.name, self.model, self.shown_address, self.key_variable, key
                )
                failed = with_context_exceeded(failed, error)
                cut = is_broken_off(error)
            else:
                failed = _find_empty_reply(self.name, self.shown_address, response)
                cut = find_end(response) is None
            # Outside the handler: the error raised here must not carry the library's, which holds the whole request.
            if cut and translator.has_text:
                for delta in translator.flush():
                    yield delta
                return
            if failed is not None:
                raise self.make_discreet(failed)
            for delta in translator.end(response):
                yield delta

    def make_discreet(self, failed: MuseError) -> MuseError:
        """Return a failure as the users of this model may read it; the log has what is left out."""
        if self.alias is None:
            return failed
        told = discreet_error(failed, self.model, self.address, self.key_variable)
        if str(told) != str(failed):
            _LOG.warning("%s (%s): %s", self.alias, self.shown_address, failed)
        return told

    @asynccontextmanager
    async def _open_stream(
        self, lease: ClientLease[PydanticModel], request: Request, key: str
    ) -> AsyncIterator[StreamedResponse | ChatStream]:
        from pydantic_ai.direct import model_request_stream

        model = lease.model
        body = build_body(self.model, request, self.profile) if lease.session is not None else None
        if lease.session is not None and body is not None:
            access = Access(self.address, key or _NO_KEY)
            async with open_stream(
                lease.session, access, body, model.system, self.profile
            ) as reply:
                yield reply
            return
        messages = to_provider_messages(
            request.messages, self.origin, model.system, self.provider.id_length
        )
        settings = build_settings(self.provider, self.profile, request)
        parameters = build_parameters(request, self.profile)
        async with model_request_stream(
            model,
            messages,
            model_settings=settings,
            model_request_parameters=parameters,
            instrument=False,
        ) as stream:
            yield stream

    def _with_defaults(self, request: Request) -> Request:
        """The request, with configured defaults for the options that it leaves open."""
        defaults = {
            option: value
            for option, value in self.options.sampling.items()
            if getattr(request, option) in (None, ())
        }
        return replace(request, **defaults) if defaults else request


def _find_empty_reply(name: str, address: str, response: ModelResponse) -> ModelFailed | None:
    """The error for a reply that ended without anything that could be an answer; None if it has something."""
    if response.finish_reason == "error":
        return ModelFailed(name, f"{address} ended its reply with an error; ask again")
    if response.parts or get_refusal(response):
        return None
    return (
        ModelFailed(name, f"{address} ended its reply without an answer; ask again")
        if find_end(response) is None
        else None
    )


def _is_base_url(url: str) -> bool:
    """True if a URL can be a base URL: the paths of an API can follow it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        url.startswith(("http://", "https://"))
        and bool(parts.hostname)
        and not parts.query
        and port != 0
    )


def require_libraries(provider: Provider) -> None:
    """Raise `NotInstalled` if a library of a provider is missing."""
    for library in (
        "pydantic_ai",
        provider.library,
        *(("aiohttp",) if provider.has_fast_path else ()),
    ):
        if not _is_installed(library):
            raise NotInstalled(
                f"A model of {provider.kind}", library.partition(".")[0], "providers"
            )


def _is_installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False
