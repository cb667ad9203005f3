"""What a kind of provider is: where it is, which key it wants, what its models can do, and how a client of it is made.

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
from musespark.models.model import Abilities

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as Wire
    from pydantic_ai.profiles import ModelProfile

Profile: TypeAlias = Mapping[str, Any]
"""What pydantic-ai knows about a model: `pydantic_ai.profiles.ModelProfile` and its kin."""
Lack: TypeAlias = tuple[str, str]
"""What a model cannot do, and what to do instead: the two last arguments of `BeyondModel`."""

UNKNOWN_CONTEXT = 8192
"""Tokens assumed where nobody says how many a model can hold."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where requests go, and the key that lets them in."""

    base_url: str
    key: str = field(repr=False)


class Provider(ABC):
    """One kind of provider. Instances hold no state: everything that varies is passed in."""

    kind: ClassVar[str]
    """What a model's name begins with."""
    library: ClassVar[str]
    """The module that pydantic-ai needs for it."""
    base_url: ClassVar[str | None] = None
    """Where it is; None where the person must say."""
    url_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that name another place; the first that is set counts."""
    key_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that hold its key; the first that is set counts."""
    needs_key: ClassVar[bool] = True
    local: ClassVar[bool] = False
    """Runs on one's own machines: it costs nothing per token, and it is quick to ask whether it is there."""
    plain: ClassVar[bool] = False
    """Speaks Chat Completions as anybody would: plain text may go there the short way."""
    price_list: ClassVar[str | None] = None
    """What genai-prices calls it; None where it has no prices."""
    image_types: ClassVar[tuple[str, ...]] = ("image/png", "image/jpeg", "image/webp", "image/gif")
    video_types: ClassVar[tuple[str, ...]] = ()
    """Videos that it takes whole."""
    most_video_bytes: ClassVar[int] = 14_000_000
    """Of one video: written in base64 it must fit a request of 20 MB."""
    longest_side: ClassVar[int | None] = 2048
    """Pixels of the longest side of a picture that its models take in full. Where nobody tells it is ours: what is larger fills a
    context, and says little more."""
    text_only: ClassVar[tuple[str, ...]] = ()
    """Patterns of model names that read no pictures, where the profile does not know."""
    id_length: ClassVar[int | None] = None
    """Letters and digits that a call's id must have; None where anything usual will do."""
    most_stops: ClassVar[int | None] = None
    max_temperature: ClassVar[float] = 2.0

    @abstractmethod
    def wire(self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile) -> Wire:
        """pydantic-ai's model of that name. `profile` overrides what pydantic-ai believes about it."""

    def abilities(self, model: str, profile: Profile) -> Abilities:
        """What a model can do, as its profile tells."""
        return Abilities(
            pictures_in=bool(profile.get("supports_image_input", True)) and not matches(model, self.text_only),
            videos_in=bool(self.video_types) and bool(profile.get("supports_video_input", True)),
            tools=bool(profile.get("supports_tools", True)),
            longest_side=self.longest_side,
            context=profile.get("context_window") or UNKNOWN_CONTEXT,
            conversation=True,
            top_p=True,
            stop=True,
            schema=bool(profile.get("supports_json_schema_output", False)),
            effort=bool(profile.get("supports_thinking", False)),
            tool_choice=bool(profile.get("supports_forced_tool_choice", True)),
        )

    def lacks(self, request: Request, profile: Profile) -> Iterator[Lack]:
        """What a model cannot do of a request, beyond what its abilities tell."""
        if request.effort == "none" and profile.get("thinking_always_enabled", False):
            yield "answer without reasoning", "choose an effort from minimal up, or leave it out"

    def takes(self, video: Video) -> bool:
        """Whether a video can be sent whole."""
        return video.media_type in self.video_types and len(video.data) <= self.most_video_bytes

    def settings(self, request: Request, profile: Profile) -> dict[str, Any]:
        """What pydantic-ai's model should be told beside what every provider is told."""
        return {}

    def address(self, configured: str | None) -> str | None:
        """Where requests go: what was configured, else the environment, else the provider's own place."""
        return configured or _first_set(self.url_variables)[1] or self.base_url

    def key(self, configured: str | None) -> tuple[str, str | None]:
        """The environment variable that holds the key, or should, and its value."""
        return _first_set((configured,) if configured else self.key_variables)

    def split(self, argument: str) -> tuple[str, str | None]:
        """The model's own name and, where the argument tells, its address (`NAME@http://...`)."""
        name, at, address = argument.partition("@http")
        return (name, f"http{address}") if at else (argument, None)


def believed(*layers: Profile) -> ModelProfile:
    """What pydantic-ai should believe about a model; later layers override earlier ones."""
    return cast("ModelProfile", {belief: value for layer in layers for belief, value in layer.items()})


def _first_set(variables: tuple[str, ...]) -> tuple[str, str | None]:
    """The first of the variables that is set, with its value; else the first of them."""
    # A key that was pasted with a line break would break the header it is sent in.
    values = ((variable, os.environ.get(variable, "").strip()) for variable in variables)
    return next(((variable, value) for variable, value in values if value), (variables[0] if variables else "", None))


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a model's name, in small letters, is one of the patterns."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)


def is_private(address: str) -> bool:
    """True if an address is of this machine or of the network that it stands in."""
    host = urlsplit(address).hostname or ""
    try:
        return is_loopback(address) or ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")
