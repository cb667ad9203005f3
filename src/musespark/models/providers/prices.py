"""What a hosted model's tokens cost, by genai-prices, which pydantic-ai brings along."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse


class Price(NamedTuple):
    """US dollars per token."""

    prompt: float
    written: float


def get_list_price(provider: str | None, model: str) -> Price | None:
    """The list price of a model; None where nobody knows. Steps for long prompts are left out: it is the first one's."""
    if provider is None:
        return None
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, provider=None, provider_id=provider, provider_api_url=None)
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    prompt, written = _per_token(prices.input_mtok), _per_token(prices.output_mtok)
    return None if prompt is None or written is None else Price(prompt, written)


def _per_token(per_million: Any) -> float | None:
    base = getattr(per_million, "base", per_million)
    return None if base is None else float(base) / 1e6


def get_billed_usd(response: ModelResponse) -> float | None:
    """What a reply cost, cached and long prompts priced as the provider does; None where nobody knows."""
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError, AssertionError):
        return None
