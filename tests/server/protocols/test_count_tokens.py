"""Tokens of a conversation before it is asked, through Anthropic's own client."""

import anthropic
import httpx
import pytest

from musespark.models.estimate import TOKENS_PER_IMAGE

from .test_messages import ASK, IMAGE, TOOLS


def count(client, **options):
    """What the server says."""
    return client.messages.count_tokens(
        **{"model": "plain", "messages": ASK, **options}
    ).input_tokens


def test_everything_that_is_asked_counts(anthropic_client):
    plain = count(anthropic_client)
    assert 4 <= plain <= 20
    assert (
        count(anthropic_client, model="contemplating/plain", thinking={"type": "adaptive"}) == plain
    )
    assert count(anthropic_client, system="You are kind. " * 20) > plain + 60
    assert count(anthropic_client, tools=TOOLS) > plain + 10
    both = [{"role": "user", "content": [IMAGE, {"type": "text", "text": "What is 6 * 7?"}]}]
    assert count(anthropic_client, messages=both) == plain + TOKENS_PER_IMAGE
    elsewhere = [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}},
                {"type": "text", "text": "What is 6 * 7?"},
            ],
        }
    ]
    assert (
        count(anthropic_client, messages=elsewhere) == plain + TOKENS_PER_IMAGE
    )  # and nothing is fetched


def test_what_is_wrong_is_told_as_the_protocol_has_it(anthropic_client, served):
    with pytest.raises(anthropic.NotFoundError):
        count(anthropic_client, model="contemplating/nobody")
    with pytest.raises(anthropic.BadRequestError, match="tool_choice"):
        count(anthropic_client, tool_choice={"type": "tool", "name": "unheard-of"})
    said = httpx.post(f"{served.url}/v1/messages/count_tokens", content=b"{")
    assert said.status_code == 415 and said.json()["type"] == "error"
    said = httpx.post(
        f"{served.url}/v1/messages/count_tokens",
        json={"model": "plain", "messages": [], "max_tokens": 5},
    )
    assert said.status_code == 400 and said.json()["error"]["type"] == "invalid_request_error"
