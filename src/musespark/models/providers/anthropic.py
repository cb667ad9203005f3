"""Anthropic's Messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from musespark.content import Effort, Request
from musespark.models.capabilities import Unsupported
from musespark.models.model import Abilities
from musespark.models.providers.base import Access, Profile, Provider, merge_profiles

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel

BUDGETS = {
    Effort.MINIMAL: 1024,
    Effort.LOW: 2048,
    Effort.MEDIUM: 10_000,
    Effort.HIGH: 16_384,
    Effort.MAX: 32_000,
}
"""Tokens of thinking at each effort, for models that take a number of tokens and not an effort."""
MIN_BUDGET = 1024
"""Tokens of thinking that Anthropic accepts at least."""


class Anthropic(Provider):
    """Anthropic. It has no seed, takes a temperature or a top_p but not both, and neither while a model thinks."""

    kind = "anthropic"
    library = "anthropic"
    base_url = "https://api.anthropic.com"
    url_variables = ("ANTHROPIC_BASE_URL",)
    key_variables = ("ANTHROPIC_API_KEY",)
    normalized_path = "/messages"
    price_list = "anthropic"
    longest_side = 1568
    max_temperature = 1.0
    sampling = frozenset({"top_k"})

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        provider = AnthropicProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        _ = (
            provider.client.beta.messages
        )  # imported now: the first request would block the event loop for it
        return AnthropicModel(model, provider=provider, profile=merge_profiles(profile))

    def abilities(self, model: str, profile: Profile) -> Abilities:
        sampling = not profile.get("anthropic_disallows_sampling_settings", False)
        return replace(
            super().abilities(model, profile),
            seed=False,
            temperature=sampling,
            top_p=sampling,
            sampling=self.sampling if sampling else frozenset(),
        )

    def find_unsupported(self, request: Request, profile: Profile) -> Iterator[Unsupported]:
        yield from super().find_unsupported(request, profile)
        if request.temperature is not None and request.top_p is not None:
            yield "be given both a temperature and a top_p", "leave one of them out"
        if request.effort in (None, Effort.NONE):
            return
        if request.temperature not in (None, 1) or (
            request.top_p is not None and request.top_p < 0.95
        ):
            yield (
                "be given a temperature or top_p while it thinks",
                "leave them out, or ask for effort none",
            )
        if (
            _takes_token_budget(profile)
            and request.max_tokens is not None
            and request.max_tokens <= 2 * MIN_BUDGET
        ):
            yield (
                f"think within {request.max_tokens} tokens",
                f"allow more than {2 * MIN_BUDGET}, or ask for effort none",
            )

    def settings(self, request: Request, profile: Profile) -> dict[str, Any]:
        if request.effort in (None, Effort.NONE) or not _takes_token_budget(profile):
            return {}
        # Thinking counts towards max_tokens: at least half of them stay for the answer.
        budget = BUDGETS[Effort(request.effort)]
        if request.max_tokens is not None:
            budget = min(budget, request.max_tokens // 2)
        return {"anthropic_thinking": {"type": "enabled", "budget_tokens": budget}}


def _takes_token_budget(profile: Profile) -> bool:
    """True for older models, whose thinking is limited by a number of tokens."""
    return not profile.get("anthropic_supports_adaptive_thinking", False)
