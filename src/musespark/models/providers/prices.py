"""Prices of hosted models, from genai-prices (a dependency of pydantic-ai)."""

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
    """List price of a model; None if it is unknown. Surcharges for long prompts are left out."""
    if provider is None:
        return None
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(
            model, provider=None, provider_id=provider, provider_api_url=None
        )
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    prompt, written = _per_token(prices.input_mtok), _per_token(prices.output_mtok)
    return None if prompt is None or written is None else Price(prompt, written)


def _per_token(per_million: Any) -> float | None:
    base = getattr(per_million, "base", per_million)
    return None if base is None else float(base) / 1e6


def get_billed_usd(response: ModelResponse) -> float | None:
    """US dollars that a reply cost, with the provider's prices for cached and long prompts; None if they are unknown."""
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError, AssertionError):
        return None
