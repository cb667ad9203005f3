"""Mistral."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.models.model import Abilities
from musespark.models.providers.base import Access, Profile, Provider, matches, merge_profiles

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel

_PIXTRAL_SIDE = 1024
"""Pixels of the longest side for Pixtral; from the same table as `Mistral.longest_side`."""


class Mistral(Provider):
    """Mistral. Its models that always reason take no effort, and pydantic-ai sends no schema."""

    kind = "mistral"
    has_embeddings = True
    library = "mistralai"
    base_url = "https://api.mistral.ai"
    url_variables = ("MISTRAL_BASE_URL",)
    key_variables = ("MISTRAL_API_KEY",)
    price_list = "mistral"
    text_only = (
        "codestral*",
        "devstral*",
        "open-mi*",
        "mistral-tiny*",
        "ministral-*-2410",
        "mistral-large-2411",
        "mistral-large-2407",
        "mistral-nemo*",
        "leanstral*",
    )
    longest_side = 1540
    """Pixels, for Mistral Small 3.1 and 3.2 and Medium 3; Mistral docs, Vision, FAQ, table of maximum resolutions."""
    max_temperature = 1.5
    sampling = frozenset({"presence_penalty", "frequency_penalty"})
    id_length = 9

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from pydantic_ai.models.mistral import MistralModel
        from pydantic_ai.providers.mistral import MistralProvider

        # The SDK adds the version to the path.
        base_url = access.base_url.removesuffix("/").removesuffix("/v1")
        provider = MistralProvider(base_url=base_url, api_key=access.key, http_client=http)
        return MistralModel(model, provider=provider, profile=merge_profiles(profile))

    def abilities(self, model: str, profile: Profile) -> Abilities:
        can = super().abilities(model, profile)
        side = _PIXTRAL_SIDE if matches(model, ("pixtral*",)) else can.longest_side
        effort = can.effort and not profile.get("thinking_always_enabled", False)
        return replace(can, schema=False, effort=effort, longest_side=side)
