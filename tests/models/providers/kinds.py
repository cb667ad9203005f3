"""The providers under test: of each kind a model, its wire, and what of a reply it wants to see again."""

from __future__ import annotations

from dataclasses import dataclass

from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.anthropic import Anthropic
from musespark.models.providers.base import Provider
from musespark.models.providers.compatible import VLLM, Compatible, LlamaCpp, LMStudio
from musespark.models.providers.google import Google
from musespark.models.providers.meta import Meta
from musespark.models.providers.mistral import Mistral
from musespark.models.providers.ollama import Ollama
from musespark.models.providers.openai import OpenAI, OpenAIResponses

KEY = "sk-quite-secret-0123456789"


@dataclass(frozen=True)
class Kind:
    provider: type[Provider]
    model: str
    wire: str
    signs: bool = False
    """Its replies carry a signature."""

    def at(self, url: str, **options: object) -> RemoteModel:
        return RemoteModel(self.provider(), self.model, RemoteOptions(base_url=url, **options))  # type: ignore[arg-type]

    def __str__(self) -> str:
        return self.provider.kind


KINDS = [
    Kind(OpenAI, "gpt-4.1", "chat"),
    Kind(OpenAIResponses, "gpt-5", "responses", signs=True),
    Kind(Anthropic, "claude-sonnet-4-6", "anthropic", signs=True),
    Kind(Google, "gemini-3-pro-preview", "google", signs=True),
    Kind(Mistral, "magistral-medium-latest", "mistral"),
    Kind(Meta, "muse-spark-1.3", "chat"),
    Kind(VLLM, "qwen3-vl-8b", "chat"),
    Kind(Ollama, "gemma3:4b", "chat"),
    Kind(LlamaCpp, "any", "chat"),
    Kind(LMStudio, "any", "chat"),
    Kind(Compatible, "any", "chat"),
]
VARIABLES = {
    variable
    for kind in KINDS
    for variable in (*kind.provider.key_variables, *kind.provider.url_variables)
}
