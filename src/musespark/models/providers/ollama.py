"""Ollama, through the OpenAI-compatible half of its interface."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from musespark.models.model import Abilities
from musespark.models.providers.adapter.chat_model import chat_model
from musespark.models.providers.base import Access, Profile, merge_profiles, read_variable
from musespark.models.providers.compatible import PROFILE, Compatible

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model as PydanticModel


class Ollama(Compatible):
    """Ollama. It accepts a choice of tools and ignores it."""

    kind = "ollama"
    base_url = "http://127.0.0.1:11434/v1"
    url_variables = ("OLLAMA_BASE_URL",)
    key_variables = ("OLLAMA_API_KEY",)

    def build_model(
        self, model: str, access: Access, http: httpx2.AsyncClient, profile: Profile
    ) -> PydanticModel:
        from pydantic_ai.providers.ollama import OllamaProvider

        provider = OllamaProvider(base_url=access.base_url, api_key=access.key, http_client=http)
        return chat_model()(model, provider=provider, profile=merge_profiles(PROFILE, profile))

    def abilities(self, model: str, profile: Profile) -> Abilities:
        return replace(super().abilities(model, profile), tool_choice=False)

    def find_address(self, configured: str | None) -> str | None:
        """Address of its API: as for other providers, else by OLLAMA_HOST, which Ollama's own client reads."""
        host = read_variable("OLLAMA_HOST")
        if configured or read_variable("OLLAMA_BASE_URL") or not host:
            return super().find_address(configured)
        place = host if "://" in host else f"http://{host}"
        port = "" if place.rpartition(":")[2].strip("/").isdigit() else ":11434"
        # 0.0.0.0 is an address to listen on, not one to connect to.
        return f"{place.rstrip('/')}{port}/v1".replace("//0.0.0.0", "//127.0.0.1")

    def find_address_variable(self) -> str | None:
        """Environment variable that names its address; None if none does."""
        is_host = bool(read_variable("OLLAMA_HOST"))
        return super().find_address_variable() or ("OLLAMA_HOST" if is_host else None)
