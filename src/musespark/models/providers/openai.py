"""OpenAI, through its two interfaces: `openai:NAME` (Chat Completions) and `openai-responses:NAME` (Responses).

The second carries a model's reasoning from turn to turn, encrypted; it has neither seed nor stop. Nothing is stored there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from musespark.content import Effort, Request
from musespark.models.model import Abilities
from musespark.models.providers.base import Access, Profile, Provider, Unsupported, matches, merge_profiles

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel

LADDERS: tuple[tuple[str, Profile], ...] = (
    ("gpt-5.1-codex-max*", {"openai_reasoning_efforts": frozenset({"low", "medium", "high", "xhigh"})}),
    ("gpt-5*-codex*", {"openai_reasoning_efforts": frozenset({"low", "medium", "high"})}),
    ("gpt-5.1", {"openai_reasoning_efforts": frozenset({"none", "low", "medium", "high"})}),
    ("gpt-5.1-20*", {"openai_reasoning_efforts": frozenset({"none", "low", "medium", "high"})}),
    ("gpt-5.*", {"openai_supports_minimal_reasoning_effort": False}),
)
"""Steps of effort by patterns of names, the first that fits, where pydantic-ai would send what OpenAI's reference has not."""
WHOLE: Profile = {"openai_chat_streaming_requires_finish_reason": True}
"""A stream that ends without saying why broke off."""


class OpenAI(Provider):
    """Chat Completions."""

    kind = "openai"
    library = "openai"
    base_url = "https://api.openai.com/v1"
    url_variables = ("OPENAI_BASE_URL",)
    key_variables = ("OPENAI_API_KEY",)
    price_list = "openai"
    text_only = ("gpt-3.5*", "gpt-4", "gpt-4-0*", "o1-mini*", "o1-preview*", "o3-mini*", "gpt-oss*")
    most_stops = 4

    def build_model(self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile) -> PydanticModel:
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        there = OpenAIProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        return OpenAIChatModel(model, provider=there, profile=merge_profiles(WHOLE, _ladder(model), profile))

    def abilities(self, model: str, profile: Profile) -> Abilities:
        can = super().abilities(model, profile)
        if not profile.get("openai_supports_reasoning", False):
            return can
        sampling = not _reasons(profile, None)
        return replace(can, temperature=sampling, top_p=sampling, stop=False)

    def list_unsupported(self, request: Request, profile: Profile) -> Iterator[Unsupported]:
        yield from super().list_unsupported(request, profile)
        sampled = request.temperature is not None or request.top_p is not None
        if sampled and request.effort is not None and _reasons(profile, request.effort):
            yield "be given a temperature or top_p while it reasons", "leave them out, or ask for effort none"


def _ladder(model: str) -> Profile:
    return next((steps for pattern, steps in LADDERS if matches(model, (pattern,))), {})


def _reasons(profile: Profile, effort: Effort | None) -> bool:
    """Whether a model reasons before it answers at that effort; one that does takes no temperature."""
    if not profile.get("openai_supports_reasoning", False):
        return False
    if effort is None:
        return bool(profile.get("thinking_enabled_by_default", False))
    return effort != Effort.NONE or bool(profile.get("thinking_always_enabled", False))


class OpenAIResponses(OpenAI):
    """The Responses interface."""

    kind = "openai-responses"

    def build_model(self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile) -> PydanticModel:
        from pydantic_ai.models.openai import OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        there = OpenAIProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        return OpenAIResponsesModel(model, provider=there, profile=merge_profiles(_ladder(model), profile))

    def abilities(self, model: str, profile: Profile) -> Abilities:
        return replace(super().abilities(model, profile), seed=False, stop=False)

    def settings(self, request: Request, profile: Profile) -> dict[str, Any]:
        return {"openai_store": False}
