"""Messages, through Anthropic's own client."""

import base64
import json

import anthropic
import httpx
import pydantic
import pytest

from musespark.content import ToolResult
from musespark.models.fake import DOT

ASK = [{"role": "user", "content": "What is 6 * 7?"}]
TOOLS = [
    {
        "name": "weather",
        "description": "The weather in a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(DOT).decode()},
}


def create(client, **options):
    """A message, as the client gives it back."""
    return client.messages.create(
        **{"max_tokens": 100, "messages": ASK, "model": "plain", **options}
    )


def test_an_answer(anthropic_client):
    done = create(anthropic_client)
    assert [block.type for block in done.content] == ["thinking", "text"]
    assert (done.content[0].thinking, done.content[1].text) == ("Hm. ", "42")
    assert (done.stop_reason, done.role, done.type, done.model) == (
        "end_turn",
        "assistant",
        "message",
        "plain",
    )
    assert (done.usage.input_tokens, done.usage.output_tokens) == (4, 6)
    assert done.muse["usage"]["tokens"] == 10


def test_the_order_of_events_in_a_stream(served):
    body = {"model": "halting", "max_tokens": 9, "messages": ASK, "stream": True}
    text = httpx.post(
        f"{served.url}/v1/messages", json=body, headers={"anthropic-version": "2023-06-01"}
    ).text
    events = [
        json.loads(line.removeprefix("data: "))
        for line in text.splitlines()
        if line.startswith("data: ")
    ]
    kinds = [event["type"] for event in events]
    assert kinds == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [event["index"] for event in events if "index" in event] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [line for line in text.splitlines() if line.startswith("event: ")] == [
        f"event: {kind}" for kind in kinds
    ]


def test_a_stream_adds_up_to_the_message(anthropic_client):
    with anthropic_client.messages.stream(
        model="contemplating", max_tokens=100, messages=ASK
    ) as stream:
        text = "".join(stream.text_stream)
        done = stream.get_final_message()
    assert text == "42" == done.content[-1].text
    assert done.content[0].thinking.startswith("Up to 8 agents of plain think about it.\n")
    assert (done.usage.input_tokens, done.usage.output_tokens) == (4, 6)
    whole = create(anthropic_client, model="contemplating").usage
    assert (whole.input_tokens, whole.output_tokens) == (4, 6)
    assert whole.team == {"input_tokens": 4, "output_tokens": 6}  # two agents agreed


def test_tools_and_their_results(anthropic_client, served):
    for model in ("weather", "contemplating/weather"):
        done = create(anthropic_client, model=model, tools=TOOLS)
        used = [block for block in done.content if block.type == "tool_use"]
        assert done.stop_reason == "tool_use" and [block.input["city"] for block in used] == [
            "Paris",
            "Rome",
        ]
        sun = [{"type": "text", "text": "sun"}]
        results = [
            {"type": "tool_result", "tool_use_id": used[0].id, "content": "rain"},
            {"type": "tool_result", "tool_use_id": used[1].id, "content": sun, "is_error": True},
            {"type": "text", "text": "So?"},
        ]
        turns = [
            *ASK,
            {"role": "assistant", "content": done.content},
            {"role": "user", "content": results},
        ]
        done = create(anthropic_client, model=model, tools=TOOLS, messages=turns)
        assert done.content[-1].text == "It is rain and sun."
        sent = served.models["weather"].requests[-1].messages
        assert [
            part.failed
            for message in sent
            for part in message.parts
            if isinstance(part, ToolResult)
        ] == [False, True]


def test_tools_in_a_stream(anthropic_client):
    with anthropic_client.messages.stream(
        model="weather", max_tokens=100, messages=ASK, tools=TOOLS
    ) as stream:
        done = stream.get_final_message()
    assert [block.input for block in done.content if block.type == "tool_use"] == [
        {"city": "Paris"},
        {"city": "Rome"},
    ]


def test_one_tool_at_a_time(anthropic_client):
    done = create(
        anthropic_client,
        model="weather",
        tools=TOOLS,
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )
    assert [block.type for block in done.content] == ["tool_use"]


def test_what_is_asked_reaches_the_model(anthropic_client, served):
    create(
        anthropic_client,
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        stop_sequences=["END"],
        thinking={"type": "enabled", "budget_tokens": 16_000},
        max_tokens=20_000,
        tools=TOOLS,
        tool_choice={"type": "any"},
        extra_body={"temperature": 0.5, "top_p": 0.5},
        messages=[{"role": "user", "content": [IMAGE, {"type": "text", "text": "What is this?"}]}],
    )
    request = served.models["plain"].requests[-1]
    assert (request.messages[0].role, request.messages[0].text) == ("system", "Be brief.")
    assert (request.temperature, request.top_p, request.stop, request.max_tokens) == (
        0.5,
        0.5,
        ("END",),
        20_000,
    )
    assert (request.effort, request.tool_choice, [image.data for image in request.images]) == (
        "high",
        "required",
        [DOT],
    )


class Result(pydantic.BaseModel):
    answer: int


def test_structured_output_is_parsed(anthropic_client):
    done = anthropic_client.messages.parse(
        model="contemplating/json", max_tokens=100, messages=ASK, output_format=Result
    )
    assert done.parsed_output == Result(answer=42)
    with pytest.raises(anthropic.InternalServerError, match="does not fit the schema"):
        anthropic_client.messages.parse(
            model="prose", max_tokens=100, messages=ASK, output_format=Result
        )


def test_the_limit_of_tokens_is_told(anthropic_client):
    assert create(anthropic_client, model="long").stop_reason == "max_tokens"


def test_errors_have_their_own_shape(anthropic_client):
    with pytest.raises(anthropic.BadRequestError) as refused:
        create(anthropic_client, extra_body={"top_k": 5})
    assert (
        refused.value.body["type"] == "error"
        and refused.value.body["error"]["type"] == "invalid_request_error"
    )
    assert "top_k" in refused.value.body["error"]["message"]
    with pytest.raises(anthropic.NotFoundError) as missing:
        create(anthropic_client, model="nobody")
    assert missing.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.BadRequestError, match="it is broken"):
        create(anthropic_client, model="broken")
    with pytest.raises(anthropic.InternalServerError) as failed:
        create(anthropic_client, model="crash")
    assert failed.value.status_code == 502 and failed.value.body["error"]["type"] == "api_error"


def test_a_failure_in_a_stream_is_raised_by_the_client(anthropic_client):
    with pytest.raises(anthropic.APIStatusError, match="it broke"):
        list(create(anthropic_client, model="late-broken", stream=True))


def test_an_image_that_is_none_is_refused_by_name(anthropic_client):
    broken = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
    }
    with pytest.raises(anthropic.BadRequestError, match=r"messages\[0\].content\[0\].source.data"):
        create(
            anthropic_client,
            messages=[{"role": "user", "content": [broken, {"type": "text", "text": "?"}]}],
        )


def test_a_tool_runner_that_wants_a_thread_sends_the_conversation_instead(anthropic_client):
    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather of a city.

        Args:
            city: Its name.
        """
        return f"fine in {city}"

    runner = anthropic_client.beta.messages.tool_runner(
        model="weather",
        max_tokens=1000,
        messages=[{"role": "user", "content": "How is it?"}],
        tools=[weather],
    )
    assert runner.until_done().content[-1].text == "It is fine in Paris and fine in Rome."
    for thread in ({"type": "create"}, {"type": "continue", "previous_message_id": "msg_1"}):
        with pytest.raises(anthropic.BadRequestError, match="whole conversation") as refused:
            create(anthropic_client, model="plain", extra_body={"thread": thread})
        details = refused.value.body["error"]["details"]
        assert details == {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
