"""Servers that speak OpenAI's Chat Completions: `openai-compatible:NAME@http://host:port/v1`, vLLM, llama.cpp and LM Studio."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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
from musespark.sampling import ALL

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel

VISION_MODELS = (
    "*llava*",
    "*-vl*",
    "*vl-*",
    "*vision*",
    "*gemma-3-*",
    "*gemma3*",
    "*gemma-4*",
    "*pixtral*",
    "*llama-4*",
    "*llama4*",
    "*minicpm-v*",
    "*moondream*",
    "*internvl*",
    "*smolvlm*",
    "*mistral-small-3*",
    "*mistral-small3*",
    "*qwen2.5vl*",
    "*qwen3.5*",
    "*molmo*",
    "*ovis*",
)
"""Name patterns of open models that read images. A server does not say, and may drop an image silently."""
PROFILE = {
    **AS_GIVEN,
    # Some of these servers ignore max_completion_tokens.
    "openai_chat_supports_max_completion_tokens": False,
    "openai_chat_streaming_requires_finish_reason": True,
    "openai_chat_supports_document_input": False,
    "openai_chat_supports_multiple_system_messages": False,
    "supports_json_schema_output": True,
    "supports_json_object_output": True,
}


class Compatible(Provider):
    """Any server that speaks Chat Completions."""

    kind = "openai-compatible"
    library = "openai"
    url_variables = ("OPENAI_COMPATIBLE_BASE_URL",)
    key_variables = ("OPENAI_COMPATIBLE_API_KEY",)
    needs_key = False
    is_local = True
    has_fast_path = True
    has_embeddings = True
    has_open_body = True
    sampling = ALL
    normalized_path = "/chat/completions"

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from pydantic_ai.providers.vllm import VLLMProvider

        # vLLM's provider knows the open model families by name; nothing else in it is specific to vLLM.
        provider = VLLMProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        return chat_model()(model, provider=provider, profile=merge_profiles(PROFILE, profile))

    def abilities(self, model: str, profile: Profile) -> Abilities:
        return replace(super().abilities(model, profile), pictures_in=matches(model, VISION_MODELS))


class VLLM(Compatible):
    """vLLM."""

    kind = "vllm"
    base_url = "http://127.0.0.1:8000/v1"
    url_variables = ("VLLM_BASE_URL",)
    key_variables = ("VLLM_API_KEY",)


class LlamaCpp(Compatible):
    """llama.cpp's server."""

    kind = "llamacpp"
    base_url = "http://127.0.0.1:8080/v1"
    url_variables = ("LLAMACPP_BASE_URL",)
    key_variables = ("LLAMACPP_API_KEY",)


class LMStudio(Compatible):
    """LM Studio."""

    kind = "lmstudio"
    base_url = "http://127.0.0.1:1234/v1"
    url_variables = ("LMSTUDIO_BASE_URL",)
    key_variables = ("LMSTUDIO_API_KEY",)
