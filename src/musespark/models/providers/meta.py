"""Meta's Model API: OpenAI-compatible, with models that always reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.content import Effort, Request
from musespark.models.capabilities import Unsupported
from musespark.models.model import Abilities
from musespark.models.providers.adapter.chat_model import chat_model
from musespark.models.providers.base import AS_GIVEN, Access, Profile, Provider, merge_profiles

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel


PROFILE = {
    **AS_GIVEN,
    "openai_chat_streaming_requires_finish_reason": True,
    "supports_thinking": True,
    "thinking_always_enabled": True,
    "openai_chat_supports_max_reasoning_effort": True,
}


class Meta(Provider):
    """Meta. It rejects `stop`, effort `none` and every choice of tools but `auto`."""

    kind = "meta"
    library = "openai"
    base_url = "https://api.meta.ai/v1"
    url_variables = ("META_BASE_URL",)
    key_variables = ("MODEL_API_KEY",)
    normalized_path = "/chat/completions"
    price_list = "meta"

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from openai import AsyncOpenAI
        from pydantic_ai.providers.meta import MetaProvider

        client = AsyncOpenAI(base_url=access.base_url, api_key=access.key, http_client=http)
        return chat_model()(
            model,
            provider=MetaProvider(openai_client=client),
            profile=merge_profiles(PROFILE, profile),
        )

    def abilities(self, model: str, profile: Profile) -> Abilities:
        return replace(super().abilities(model, profile), stop=False, tool_choice=False)

    def find_unsupported(self, request: Request, profile: Profile) -> Iterator[Unsupported]:
        if request.effort == Effort.NONE:
            yield "answer without reasoning", "choose an effort from minimal up, or leave it out"
