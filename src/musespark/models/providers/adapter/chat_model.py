"""pydantic-ai's model of Chat Completions, as the servers of one's own need it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_ai.models.openai import OpenAIChatModel


@functools.cache
def chat_model() -> type[OpenAIChatModel]:
    """Make the class once its libraries are needed.

    It keeps the stop text that ended a reply (vLLM reports it), and leaves tags within the text alone: the library takes one for a
    tag only if it comes as a chunk of its own, and then also where the text only mentions it (`adapter.thoughts` splits them).
    """
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIStreamedResponse

    class Stream(OpenAIStreamedResponse):
        def __init__(self, *, _model_profile: Any, **fields: Any) -> None:
            profile: Any = {**_model_profile, "thinking_tags": None}
            super().__init__(_model_profile=profile, **fields)

        def _map_provider_details(self, chunk: Any) -> dict[str, Any] | None:
            details = super()._map_provider_details(chunk) or {}
            stop_reason = getattr(chunk.choices[0], "stop_reason", None)
            return {
                **details,
                **({"stop_reason": stop_reason} if isinstance(stop_reason, str) else {}),
            } or None

    class ChatModel(OpenAIChatModel):
        @property
        def _streamed_response_cls(self) -> type[OpenAIStreamedResponse]:
            return Stream

    return ChatModel
