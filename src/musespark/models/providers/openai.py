"""OpenAI, through its two APIs: `openai:NAME` (Chat Completions) and `openai-responses:NAME` (Responses).

Responses carries a model's encrypted reasoning from turn to turn, has neither seed nor stop, and is asked to store nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from musespark.content import Effort, Request
from musespark.models.capabilities import Unsupported
from musespark.models.model import Abilities
from musespark.models.providers.adapter.chat_model import chat_model
from musespark.models.providers.base import (
    AS_GIVEN,
    Access,
    Profile,
    Provider,
    matches,
    merge_profiles,
)

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel

REASONING_EFFORTS: tuple[tuple[str, Profile], ...] = (
    (
        "gpt-5.1-codex-max*",
        {"openai_reasoning_efforts": frozenset({"low", "medium", "high", "xhigh"})},
    ),
    ("gpt-5*-codex*", {"openai_reasoning_efforts": frozenset({"low", "medium", "high"})}),
    ("gpt-5.1", {"openai_reasoning_efforts": frozenset({"none", "low", "medium", "high"})}),
    ("gpt-5.1-20*", {"openai_reasoning_efforts": frozenset({"none", "low", "medium", "high"})}),
    ("gpt-5.*", {"openai_supports_minimal_reasoning_effort": False}),
)
"""Reasoning efforts by name pattern, for models whose profile differs from OpenAI's reference; the first match counts."""
REQUIRE_FINISH: Profile = {**AS_GIVEN, "openai_chat_streaming_requires_finish_reason": True}
"""Treat a stream without a finish reason as broken off."""


class OpenAI(Provider):
    """OpenAI's Chat Completions API."""

    kind = "openai"
    has_embeddings = True
    library = "openai"
    base_url = "https://api.openai.com/v1"
    url_variables = ("OPENAI_BASE_URL",)
    key_variables = ("OPENAI_API_KEY",)
    normalized_path: ClassVar[str | None] = "/chat/completions"
    price_list = "openai"
    text_only = ("gpt-3.5*", "gpt-4", "gpt-4-0*", "o1-mini*", "o1-preview*", "o3-mini*", "gpt-oss*")
    max_stops = 4
    sampling = frozenset({"presence_penalty", "frequency_penalty", "logit_bias", "verbosity"})

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from pydantic_ai.providers.openai import OpenAIProvider

        provider = OpenAIProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        return chat_model()(
            model,
            provider=provider,
            profile=merge_profiles(REQUIRE_FINISH, _reasoning_efforts(model), profile),
        )

    def abilities(self, model: str, profile: Profile) -> Abilities:
        can = super().abilities(model, profile)
        if not profile.get("openai_supports_reasoning", False):
            return can
        sampling = not _reasons(profile, None)
        known = self.sampling if sampling else frozenset({"verbosity"})
        return replace(can, temperature=sampling, top_p=sampling, stop=False, sampling=known)

    def find_unsupported(self, request: Request, profile: Profile) -> Iterator[Unsupported]:
        yield from super().find_unsupported(request, profile)
        sampled = request.temperature is not None or request.top_p is not None
        if sampled and request.effort is not None and _reasons(profile, request.effort):
            yield (
                "be given a temperature or top_p while it reasons",
                "leave them out, or ask for effort none",
            )


def _reasoning_efforts(model: str) -> Profile:
    return next(
        (efforts for pattern, efforts in REASONING_EFFORTS if matches(model, (pattern,))), {}
    )


def _reasons(profile: Profile, effort: Effort | None) -> bool:
    """True if a model reasons at that effort before it answers; then it takes no temperature."""
    if not profile.get("openai_supports_reasoning", False):
        return False
    if effort is None:
        return bool(profile.get("thinking_enabled_by_default", False))
    return effort != Effort.NONE or bool(profile.get("thinking_always_enabled", False))


class OpenAIResponses(OpenAI):
    """OpenAI's Responses API."""

    kind = "openai-responses"
    normalized_path = None
    sampling = frozenset({"verbosity"})

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from pydantic_ai.models.openai import OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        provider = OpenAIProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        return OpenAIResponsesModel(
            model,
            provider=provider,
            profile=merge_profiles(AS_GIVEN, _reasoning_efforts(model), profile),
        )

    def abilities(self, model: str, profile: Profile) -> Abilities:
        return replace(super().abilities(model, profile), seed=False, stop=False)

    def settings(self, request: Request, profile: Profile) -> dict[str, Any]:
        return {"openai_store": False}
