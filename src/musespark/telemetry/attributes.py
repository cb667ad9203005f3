"""Attributes of spans, in the words of the conventions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from musespark.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span

COST = "gen_ai.usage.cost"
"""US dollars; not part of the conventions yet, and what their users call it."""
_PROVIDERS = {"google": "gcp.gemini", "mistral": "mistral_ai"}
"""Names of providers in the conventions, where ours are other ones."""


def difference(usage: Usage, parts: Iterable[Usage]) -> Usage:
    """Tokens, calls and money of a usage without those of its parts."""
    tokens, prompt_tokens, calls, usd = usage.tokens, usage.prompt_tokens, usage.calls, usage.usd
    for part in parts:
        tokens, prompt_tokens = tokens - part.tokens, prompt_tokens - part.prompt_tokens
        calls, usd = calls - part.calls, usd - part.usd
    return Usage(
        tokens=max(tokens, 0),
        prompt_tokens=max(prompt_tokens, 0),
        calls=max(calls, 0),
        usd=max(usd, 0.0),
    )


def usage_attributes(usage: Usage) -> dict[str, Any]:
    """Tokens and money of a usage."""
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.tokens - usage.prompt_tokens,
        COST: usage.usd,
    }


def model_attributes(name: str) -> dict[str, Any]:
    """The provider and the model of a name such as `openai:gpt-5`; nothing for no name."""
    if not name:
        return {}
    provider, _, model = name.partition(":") if ":" in name else ("musespark", "", name)
    return {
        "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
        "gen_ai.request.model": model,
    }


def messages(role: str, text: str) -> str:
    """Messages in the form that the conventions prescribe, as JSON."""
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False
    )


def fail(span: Span, error: str, message: str) -> None:
    """Mark a span as failed."""
    from opentelemetry.trace import Status, StatusCode

    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR, message or None))
