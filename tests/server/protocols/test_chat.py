"""Chat Completions, through OpenAI's own client."""

import base64
import json

import httpx
import openai
import pydantic
import pytest

from musespark.models.fake import DOT

ASK = [{"role": "user", "content": "What is 6 * 7?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
DATA_URL = "data:image/png;base64," + base64.b64encode(DOT).decode()


def streamed(client, **options):
    """The chunks of a stream, and the message they add up to."""
    chunks = list(client.chat.completions.create(stream=True, **{"messages": ASK, **options}))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    return (
        chunks,
        "".join(delta.content or "" for delta in deltas),
        "".join((delta.model_extra or {}).get("reasoning_content", "") for delta in deltas),
    )


def test_an_answer(openai_client):
    done = openai_client.chat.completions.create(model="plain", messages=ASK)
    choice = done.choices[0]
    assert (choice.message.content, choice.message.role, choice.finish_reason) == (
        "42",
        "assistant",
        "stop",
    )
    assert choice.message.reasoning_content == "Hm. "
    assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (
        4,
        6,
        10,
    )
    assert done.model == "plain" and done.id.startswith("chatcmpl-") and done.muse["run"] in done.id


def test_a_stream(openai_client):
    chunks, text, thoughts = streamed(
        openai_client, model="plain", stream_options={"include_usage": True}
    )
    assert (text, thoughts) == ("42", "Hm. ")
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [
        choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason
    ] == ["stop"]
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 10
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("mode", ["instant", "thinking"])
def test_one_agent_in_a_mode_is_the_configured_model(openai_client, mode):
    done = openai_client.chat.completions.create(model=mode, messages=ASK)
    assert done.choices[0].message.content == "42"
    assert done.muse["usage"]["calls"] == 1 and done.muse["mode"] == mode


def test_a_team_tells_what_it_does_before_it_answers(openai_client):
    chunks, text, thoughts = streamed(
        openai_client, model="contemplating", extra_body={"muse": {"agents": 3, "first": 3}}
    )
    assert text == "42"
    assert thoughts.startswith("Up to 3 agents of plain think about it.\n")
    assert "agent-1 starts" in thoughts and "say 42" in thoughts and "Decided by vote" in thoughts
    muse = chunks[-1].muse
    assert muse["decided"]["by"] == "vote" and len(muse["agents"]) >= 3
    assert [stage["stage"] for stage in muse["stages"]] == ["explore", "aggregate"]
    usage = chunks[-1].usage
    assert sum(agent["tokens"] for agent in muse["agents"].values()) == muse["usage"]["tokens"]
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (4, 6, 10)
    assert usage.total_tokens + muse["besides"]["tokens"] == muse["usage"]["tokens"]


def test_tools_that_the_client_runs(openai_client):
    for model in ("weather", "contemplating/weather"):
        messages = [{"role": "user", "content": "How is the weather in Paris and Rome?"}]
        done = openai_client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
        choice = done.choices[0]
        assert choice.finish_reason == "tool_calls" and choice.message.content is None
        assert [call.id for call in choice.message.tool_calls] == ["call_paris", "call_rome"]
        assert json.loads(choice.message.tool_calls[1].function.arguments) == {"city": "Rome"}
        messages += [
            choice.message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": "call_paris", "content": "rain"},
            {
                "role": "tool",
                "tool_call_id": "call_rome",
                "content": [{"type": "text", "text": "sun"}],
            },
        ]
        done = openai_client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
        assert done.choices[0].message.content == "It is rain and sun."


def test_tools_in_a_stream(openai_client):
    with openai_client.chat.completions.stream(
        model="weather", messages=ASK, tools=TOOLS
    ) as stream:
        done = stream.get_final_completion()
    assert [call.function.name for call in done.choices[0].message.tool_calls] == [
        "weather",
        "weather",
    ]
    assert done.choices[0].finish_reason == "tool_calls"


def test_one_tool_at_a_time(openai_client):
    done = openai_client.chat.completions.create(
        model="weather", messages=ASK, tools=TOOLS, parallel_tool_calls=False
    )
    assert [call.id for call in done.choices[0].message.tool_calls] == ["call_paris"]


def test_a_forced_tool_reaches_the_model(openai_client, served):
    openai_client.chat.completions.create(
        model="weather",
        messages=ASK,
        tools=TOOLS,
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )
    assert served.models["weather"].requests[-1].tool_choice == "weather"


def test_an_image_reaches_the_model(openai_client, served):
    openai_client.chat.completions.create(
        model="plain",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}},
                ],
            }
        ],
    )
    assert [image.data for image in served.models["plain"].requests[-1].images] == [DOT]


class Result(pydantic.BaseModel):
    answer: int


@pytest.mark.parametrize("model", ["json", "contemplating/json"])
def test_structured_output_is_parsed(openai_client, model):
    done = openai_client.chat.completions.parse(model=model, messages=ASK, response_format=Result)
    assert done.choices[0].message.parsed == Result(answer=42)


@pytest.mark.parametrize("model", ["prose", "contemplating/prose"])
def test_an_answer_that_does_not_fit_is_an_error(openai_client, model):
    with pytest.raises(openai.InternalServerError) as failed:
        openai_client.chat.completions.parse(model=model, messages=ASK, response_format=Result)
    assert (failed.value.status_code, failed.value.code) == (502, "schema_not_met")


def test_parameters_reach_the_model(openai_client, served):
    openai_client.chat.completions.create(
        model="plain",
        messages=[{"role": "developer", "content": "Be brief."}, *ASK],
        stop=["\n", ""],
        seed=7,
        max_completion_tokens=99,
        temperature=0.5,
        top_p=0.9,
        reasoning_effort="low",
    )
    request = served.models["plain"].requests[-1]
    assert (request.stop, request.seed, request.max_tokens, request.temperature, request.top_p) == (
        ("\n",),
        7,
        99,
        0.5,
        0.9,
    )
    assert (
        request.effort == "low"
        and request.messages[0].role == "system"
        and request.messages[0].text == "Be brief."
    )


def test_the_limit_of_tokens_is_told(openai_client):
    done = openai_client.chat.completions.create(model="long", messages=ASK, max_tokens=5)
    assert done.choices[0].finish_reason == "length"


def test_max_tokens_limits_each_answer_of_a_team_and_not_all_together(openai_client, served):
    openai_client.chat.completions.create(model="contemplating", messages=ASK, max_tokens=12)
    assert {request.max_tokens for request in served.models["plain"].requests[-2:]} == {12}


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ({"logprobs": True}, "logprobs"),
        ({"n": 2}, "n"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"extra_body": {"muse": {"agnets": 8}}}, "muse.agnets"),
        ({"extra_body": {"muse": {"agents": 0}}}, "muse.agents"),
        ({"extra_headers": {"x-muse": "{"}}, "x-muse"),
        (
            {"extra_body": {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}},
            "messages[0].content[0]",
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(openai_client, option, named):
    with pytest.raises(openai.BadRequestError) as refused:
        openai_client.chat.completions.create(model="contemplating", messages=ASK, **option)
    assert refused.value.type == "invalid_request_error" and refused.value.param == named
    assert refused.value.message


def test_what_clients_send_by_default_is_taken(openai_client):
    done = openai_client.chat.completions.create(
        model="plain",
        messages=ASK,
        n=1,
        logprobs=False,
        stop=[],
        presence_penalty=0,
        frequency_penalty=0.0,
        logit_bias={},
        user="me",
        metadata={"a": "b"},
        temperature=0,
        seed=1234,
    )
    assert done.choices[0].message.content == "42"


def test_errors_have_their_status(openai_client):
    with pytest.raises(openai.NotFoundError) as missing:
        openai_client.chat.completions.create(model="nobody", messages=ASK)
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as failed:
        openai_client.chat.completions.create(model="broken", messages=ASK, stream=True)
    assert failed.value.code == "model_rejected" and "it is broken" in failed.value.message


def test_a_failure_in_a_stream_is_raised_by_the_client(openai_client):
    with pytest.raises(openai.APIError, match="it broke") as failed:
        list(openai_client.chat.completions.create(model="late-broken", messages=ASK, stream=True))
    assert failed.value.code == "model_rejected"


def test_a_text_that_turned_out_void_is_followed_by_a_blank_line(openai_client):
    options = {"agents": 3, "first": 3, "rounds": 0, "aggregate": "merge"}
    _, text, _ = streamed(
        openai_client, model="contemplating/forgetful", extra_body={"muse": options}
    )
    assert text.startswith("Half an ans\n\nProse number")
    done = openai_client.chat.completions.create(
        model="contemplating/forgetful", messages=ASK, extra_body={"muse": options}
    )
    assert done.choices[0].message.content.startswith("Prose number")


def test_half_a_character_is_no_fault(openai_client, served):
    done = openai_client.chat.completions.create(model="half", messages=ASK)
    assert "half a character" in done.choices[0].message.content
    assert "half" in streamed(openai_client, model="half")[1]
    for page in ("/v1/runs", f"/v1/runs/{done.muse['run']}"):
        assert httpx.get(f"{served.url}{page}").status_code == 200


def test_options_of_a_team_can_ride_in_a_header(openai_client):
    done = openai_client.chat.completions.create(
        model="contemplating", messages=ASK, extra_headers={"x-muse": '{"agents": 5, "first": 5}'}
    )
    assert "Up to 5 agents" in done.choices[0].message.reasoning_content
    with pytest.raises(openai.BadRequestError, match="contemplating/plain"):
        openai_client.chat.completions.create(
            model="plain", messages=ASK, extra_body={"muse": {"agents": 5}}
        )
