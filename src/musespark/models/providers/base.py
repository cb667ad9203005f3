"""A kind of provider: its address, its key, what its models can do, and how pydantic-ai's client for it is built.

A new kind is one file with a subclass and one line in `musespark.models.registry`; docs/providers.md shows one.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast
from urllib.parse import urlsplit

from musespark.content import Request, Video
from musespark.models.capabilities import Unsupported
from musespark.models.model import Abilities

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel
    from pydantic_ai.profiles import ModelProfile

Profile: TypeAlias = Mapping[str, Any]
"""pydantic-ai's knowledge of a model: `pydantic_ai.profiles.ModelProfile` and its subclasses."""

_AROUND = " \t\r\n\f\v\ufeff\u200b\u2060\u00a0"
"""Characters around a value that are no part of it."""
DEFAULT_CONTEXT = 8192
"""Tokens that a model is assumed to hold if neither the profile nor the configuration gives a number."""


@dataclass(frozen=True, slots=True)
class Access:
    """Address of a provider's API, and the key for it."""

    base_url: str
    key: str = field(repr=False)


class Provider(ABC):
    """One kind of provider. Instances hold no state: everything that varies is passed in."""

    kind: ClassVar[str]
    """Prefix of its models' names."""
    library: ClassVar[str]
    """Module that pydantic-ai needs for it."""
    base_url: ClassVar[str | None] = None
    """Default address; None if the person must name one."""
    url_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that name another address; the first that is set counts."""
    key_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that hold its key; the first that is set counts."""
    needs_key: ClassVar[bool] = True
    is_local: ClassVar[bool] = False
    """True if it runs on one's own machines: tokens cost nothing, and it is quick to ask if it is there."""
    has_open_body: ClassVar[bool] = False
    """True if its servers read further sampling options, or ignore those that they do not know."""
    sampling: ClassVar[frozenset[str]] = frozenset()
    """Fields of `musespark.sampling.Sampling` that its models take."""
    has_fast_path: ClassVar[bool] = False
    """True if it speaks Chat Completions without extensions, so that plain text can bypass pydantic-ai."""
    normalized_path: ClassVar[str | None] = None
    """End of the path whose replies servers of one's own may send in other forms, which `adapter.transport` normalizes."""
    has_embeddings: ClassVar[bool] = False
    """True if it has OpenAI's page for embeddings."""
    price_list: ClassVar[str | None] = None
    """Name of the provider in genai-prices; None if it has no prices there."""
    image_types: ClassVar[tuple[str, ...]] = ("image/png", "image/jpeg", "image/webp", "image/gif")
    video_types: ClassVar[tuple[str, ...]] = ()
    """Media types of videos that it accepts whole."""
    max_video_bytes: ClassVar[int] = 14_000_000
    """Bytes of one video at most: in base64 it must fit a request of 20 MB."""
    longest_side: ClassVar[int | None] = 2048
    """Pixels of the longest side of an image that its models read in full. The default is our choice: a larger image fills a
    context and says little more."""
    text_only: ClassVar[tuple[str, ...]] = ()
    """Patterns of names of models that read no images, for those that the profile does not know."""
    id_length: ClassVar[int | None] = None
    """Exact number of letters and digits in a call's id; None if any usual id is accepted."""
    max_stops: ClassVar[int | None] = None
    """Number of stop texts at most; None is no limit."""
    max_temperature: ClassVar[float] = 2.0

    @abstractmethod
    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        """Build pydantic-ai's model of that name. `profile` overrides pydantic-ai's own profile of it."""

    def abilities(self, model: str, profile: Profile) -> Abilities:
        """Abilities of a model, by its profile."""
        return Abilities(
            pictures_in=bool(profile.get("supports_image_input", True))
            and not matches(model, self.text_only),
            videos_in=bool(self.video_types) and bool(profile.get("supports_video_input", True)),
            tools=bool(profile.get("supports_tools", True)),
            longest_side=self.longest_side,
            context=profile.get("context_window") or DEFAULT_CONTEXT,
            conversation=True,
            top_p=True,
            stop=True,
            schema=bool(profile.get("supports_json_schema_output", False)),
            effort=bool(profile.get("supports_thinking", False)),
            effort_none=not profile.get("thinking_always_enabled", False),
            sampling=self.sampling,
            image_types=self.image_types,
            tool_choice=bool(profile.get("supports_forced_tool_choice", True)),
        )

    def find_unsupported(self, request: Request, profile: Profile) -> Iterator[Unsupported]:
        """Yield what a model cannot do of a request, beyond what its abilities tell."""
        if request.effort == "none" and profile.get("thinking_always_enabled", False):
            yield "answer without reasoning", "choose an effort from minimal up, or leave it out"

    def accepts_video(self, video: Video) -> bool:
        """True if a video can be sent whole."""
        return video.media_type in self.video_types and len(video.data) <= self.max_video_bytes

    def settings(self, request: Request, profile: Profile) -> dict[str, Any]:
        """Settings for pydantic-ai's model, beside those that every provider gets."""
        return {}

    def find_address(self, configured: str | None) -> str | None:
        """Address of its API: the configured one, else the environment's, else the provider's own."""
        return configured or _find_first_set(self.url_variables)[1] or self.base_url

    def find_address_variable(self) -> str | None:
        """Environment variable that names its address; None if none does."""
        variable, value = _find_first_set(self.url_variables)
        return variable if value else None

    def find_key(self, configured: str | None) -> tuple[str, str | None]:
        """Environment variable that holds the key, or should, and its value. configured: the variable to read instead."""
        return _find_first_set((configured,) if configured else self.key_variables)

    def parse_argument(self, argument: str) -> tuple[str, str | None]:
        """The model's own name and, from an argument `NAME@http://...`, its address."""
        name, at, address = argument.partition("@http")
        return (name, f"http{address}") if at else (argument, None)


AS_GIVEN: Profile = {"json_schema_transformer": None}
"""Profile of providers that take any schema as it is: pydantic-ai would close its objects, and make their fields required."""


def merge_profiles(*layers: Profile) -> ModelProfile:
    """Merge profiles; later ones override earlier ones."""
    return cast(
        "ModelProfile", {field: value for layer in layers for field, value in layer.items()}
    )


def _find_first_set(variables: tuple[str, ...]) -> tuple[str, str | None]:
    """The first of the environment variables that is set, with its value; else the first of them and None."""
    values = ((variable, read_variable(variable)) for variable in variables)
    return next(
        ((variable, value) for variable, value in values if value),
        (variables[0] if variables else "", None),
    )


def read_variable(name: str) -> str:
    """Read an environment variable, without what files and shells leave around its value: whitespace, a byte order mark, quotes.

    A key that was pasted with a line break would break the header it is sent in.
    """
    marked = os.fsdecode(f"\ufeff{name}".encode())  # there may be no such letter in this locale
    value = os.environ.get(name, "") or os.environ.get(marked, "")
    value = value.strip(_AROUND)
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip(_AROUND)
    return value


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """True if a model's name, in lower case, matches one of the patterns."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)


def is_private(address: str) -> bool:
    """True if an address is on this machine or on its local network."""
    host = urlsplit(address).hostname or ""
    try:
        return is_loopback(address) or ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))


def is_loopback(address: str) -> bool:
    """True if an address is on this machine. The address of any host, 0.0.0.0, leads to it when one connects to it."""
    try:
        host = (urlsplit(address).hostname or "").rstrip(".")
        if host == "localhost" or host.endswith(".localhost"):
            return True
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or ip.is_unspecified
