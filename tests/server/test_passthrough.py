"""A server behind a server: what a client asks reaches a hosted model over HTTP, and what it answers comes back, unchanged."""

import json
import time

import anthropic
import httpx
import openai
import pydantic
import pytest

from musespark.config import Config, ModelConfig

from .conftest import live

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


@pytest.fixture(scope="module")
def front(served):
    """A server whose models are those of another, by way of OpenAI's protocol."""
    able = {"pictures_in": True, "tools": True, "schema": True, "effort": True, "context": 100_000}
    config = Config(
        models={
            name: ModelConfig(model=f"openai-compatible:{name}@{served.url}/v1", abilities=able)
            for name in ("plain", "weather", "json", "hang", "broken", "parrot", "halting", "stops")
        }
    )
    with live(models={}, config=config) as server:
        yield server


@pytest.fixture(scope="module")
def client(front):
    """OpenAI's own client of the server in front."""
    with openai.OpenAI(base_url=f"{front.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def test_an_answer_and_what_it_cost(client):
    done = client.chat.completions.create(
        model="plain", messages=ASK, temperature=0.5, stop=["END"], seed=3, max_tokens=50
    )
    assert (done.choices[0].message.content, done.choices[0].finish_reason) == ("42", "stop")
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (4, 6)


def test_parameters_arrive_as_they_were(client, served):
    client.chat.completions.create(
        model="plain",
        messages=[{"role": "system", "content": "Be brief."}, *ASK],
        temperature=0.25,
        top_p=0.75,
        stop=["END"],
        seed=11,
        max_tokens=77,
        reasoning_effort="low",
    )
    request = served.models["plain"].requests[-1]
    assert (request.temperature, request.top_p, request.stop, request.seed, request.max_tokens) == (
        0.25,
        0.75,
        ("END",),
        11,
        77,
    )
    assert [message.text for message in request.messages] == ["Be brief.", "What is 6 * 7?"]


@pytest.mark.parametrize(("model", "pieces"), [("halting", ["4", "2"]), ("plain", ["42"])])
def test_a_stream_comes_in_pieces_and_those_that_come_together_as_one(client, model, pieces):
    chunks = list(client.chat.completions.create(model=model, messages=ASK, stream=True))
    assert [
        choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content
    ] == pieces


def test_a_team_of_them(client):
    done = client.chat.completions.create(model="contemplating/plain", messages=ASK)
    assert (
        done.choices[0].message.content == "42"
        and done.muse["usage"]["tokens"] >= 20
        and done.usage.total_tokens == 10
        and done.muse["usage"]["calls"] >= 2
    )


@pytest.mark.parametrize("model", ["weather", "contemplating/weather"])
def test_tools_keep_their_ids_all_the_way(client, model):
    done = client.chat.completions.create(model=model, messages=ASK, tools=TOOLS)
    assert [call.id for call in done.choices[0].message.tool_calls] == ["call_paris", "call_rome"]
    messages = [
        *ASK,
        done.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": "call_paris", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_rome", "content": "sun"},
    ]
    done = client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    assert done.choices[0].message.content == "It is rain and sun."


class Result(pydantic.BaseModel):
    answer: int


def test_structured_output_is_asked_of_the_model(client, served):
    done = client.chat.completions.parse(model="json", messages=ASK, response_format=Result)
    assert done.choices[0].message.parsed == Result(answer=42)
    assert json.loads(served.models["json"].requests[-1].schema)["properties"].keys() == {"answer"}


def test_one_protocol_in_front_and_another_behind(front):
    with anthropic.Anthropic(base_url=front.url, api_key="none", max_retries=0) as made:
        said = [{"role": "user", "content": "Hello!"}]
        done = made.messages.create(model="parrot", max_tokens=50, system="Be kind.", messages=said)
    assert done.content[-1].text == "Hello!"


def test_what_is_refused_behind_is_refused_in_front_and_names_no_address(client, served):
    for model in ("broken", "contemplating/broken"):
        with pytest.raises(openai.BadRequestError, match="it is broken") as failed:
            client.chat.completions.create(model=model, messages=ASK)
        assert "127.0.0.1" not in str(failed.value) and "openai-compatible" not in str(failed.value)


@pytest.mark.parametrize("model", ["hang", "contemplating/hang"])
def test_who_leaves_in_front_is_gone_behind(front, served, model):
    body = {"model": model, "messages": ASK, "stream": True}
    with (
        httpx.Client(timeout=90) as made,
        made.stream("POST", f"{front.url}/v1/chat/completions", json=body) as response,
    ):
        lines = response.iter_lines()  # letting go of it would be leaving
        next(lines)
        end = time.monotonic() + 60
        while not served.running("hang") and time.monotonic() < end:
            time.sleep(0.005)
        assert served.running("hang")
    began = time.monotonic()
    while served.running("hang"):
        assert time.monotonic() - began < 60  # 0.2 on an idle machine
        time.sleep(0.002)


def test_which_text_ended_an_answer_is_told_through_two_servers(client):
    choice = client.chat.completions.create(
        model="stops", messages=ASK, stop=["END", "FIN"]
    ).choices[0]
    assert (choice.message.content, choice.finish_reason, choice.stop_reason) == (
        "4",
        "stop",
        "END",
    )
