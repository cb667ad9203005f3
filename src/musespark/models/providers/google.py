"""Google's Gemini API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from musespark.content import Request
from musespark.models.model import Abilities
from musespark.models.providers.base import Access, Profile, Provider, merge_profiles

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel


class Google(Provider):
    """Google. Its models return their thoughts only on request, so they are requested."""

    kind = "google"
    library = "google.genai"
    base_url = "https://generativelanguage.googleapis.com"
    url_variables = ("GOOGLE_GEMINI_BASE_URL",)
    key_variables = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    price_list = "google"
    image_types = ("image/png", "image/jpeg", "image/webp")
    video_types = ("video/mp4", "video/quicktime", "video/webm", "video/3gpp")
    longest_side = 3072
    """Pixels; Gemini API docs, Image understanding: larger images "are scaled down to a maximum resolution of 3072x3072"."""
    max_stops = 5
    sampling = frozenset({"top_k", "presence_penalty", "frequency_penalty"})

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        provider = GoogleProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        return GoogleModel(model, provider=provider, profile=merge_profiles(profile))

    def abilities(self, model: str, profile: Profile) -> Abilities:
        return replace(
            super().abilities(model, profile), context=profile.get("context_window") or 1_048_576
        )

    def settings(self, request: Request, profile: Profile) -> dict[str, Any]:
        if request.effort is None and profile.get("supports_thinking", False):
            return {"google_thinking_config": {"include_thoughts": True}}
        return {}
