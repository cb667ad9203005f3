"""What else the official clients do: asynchronous ones, helpers for streams, pictures in results of tools, longer conversations."""

import asyncio
import base64
import json
import random

import anthropic
import openai
import pydantic
import pytest

from musespark import ask_sync
from musespark.content import ToolResult
from musespark.images import encode_png
from musespark.models.fake import DOT
from musespark.nano.tasks import load_task

from . import test_chat as chat, test_messages as messages, test_responses as responses

QUESTION = "How is the weather in Paris and Rome?"
DATA_URL = "data:image/png;base64," + base64.b64encode(DOT).decode()


class Result(pydantic.BaseModel):
    answer: int


# Chat Completions.


def test_chat_a_schema_as_a_value_and_any_object(openai_client, served):
    schema = Result.model_json_schema()
    for form in (
        {
            "type": "json_schema",
            "json_schema": {"name": "result", "schema": schema, "strict": True},
        },
        {"type": "json_object"},
    ):
        done = openai_client.chat.completions.create(
            model="json", messages=chat.ASK, response_format=form
        )
        assert json.loads(done.choices[0].message.content) == {"answer": 42}
    assert [
        json.loads(request.schema).get("type") for request in served.models["json"].requests[-2:]
    ] == ["object", "object"]
    done = openai_client.chat.completions.create(
        model="prose", messages=chat.ASK, response_format={"type": "text"}
    )
    assert done.choices[0].message.content == "The answer is 42."


def test_chat_a_stream_is_parsed_as_it_comes(openai_client):
    with openai_client.chat.completions.stream(
        model="json", messages=chat.ASK, response_format=Result
    ) as stream:
        kinds = [event.type for event in stream]
        done = stream.get_final_completion()
    assert done.choices[0].message.parsed == Result(answer=42) and "content.done" in kinds


def test_chat_parallel_calls_in_a_stream_have_their_numbers(openai_client):
    chunks = list(
        openai_client.chat.completions.create(
            model="weather", messages=chat.ASK, tools=chat.TOOLS, stream=True
        )
    )
    calls = [
        call
        for chunk in chunks
        for choice in chunk.choices
        for call in choice.delta.tool_calls or ()
    ]
    assert [(call.index, call.id) for call in calls] == [(0, "call_paris"), (1, "call_rome")]


@pytest.mark.parametrize("choice", ["none", "required", "auto"])
def test_chat_a_choice_of_tools_reaches_the_model(openai_client, served, choice):
    openai_client.chat.completions.create(
        model="weather", messages=chat.ASK, tools=chat.TOOLS, tool_choice=choice
    )
    assert served.models["weather"].requests[-1].tool_choice == choice


def test_chat_a_tool_that_is_parsed_by_the_sdk(openai_client):
    class weather(pydantic.BaseModel):
        city: str

    done = openai_client.chat.completions.parse(
        model="weather", messages=chat.ASK, tools=[openai.pydantic_function_tool(weather)]
    )
    parsed = [call.function.parsed_arguments for call in done.choices[0].message.tool_calls]
    assert parsed == [weather(city="Paris"), weather(city="Rome")]


def test_chat_a_tool_may_give_back_an_image(openai_client, served):
    call = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    image = [
        {"type": "image_url", "image_url": {"url": DATA_URL}},
        {"type": "text", "text": "a map"},
    ]
    openai_client.chat.completions.create(
        model="plain",
        messages=[
            *chat.ASK,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": image},
        ],
    )
    result = served.models["plain"].requests[-1].messages[-1].parts[0]
    assert isinstance(result, ToolResult) and [type(part).__name__ for part in result.content] == [
        "Image",
        "Text",
    ]


async def test_chat_many_asynchronous_ones_at_once(served):
    async with openai.AsyncOpenAI(
        base_url=f"{served.url}/v1", api_key="none", max_retries=0
    ) as client:

        async def one(number):
            said = [{"role": "user", "content": f"number {number}"}]
            stream = await client.chat.completions.create(
                model="parrot", messages=said, stream=True
            )
            return "".join(
                [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
            )

        assert await asyncio.gather(*map(one, range(20))) == [
            f"number {number}" for number in range(20)
        ]


# Responses.


def test_responses_the_order_of_an_image_and_of_calls_in_a_stream(openai_client):
    events = list(openai_client.responses.create(model="painter", input=responses.ASK, stream=True))
    kinds = [event.type.removeprefix("response.") for event in events]
    at = kinds.index("image_generation_call.in_progress")
    assert kinds[at - 1 : at + 4] == [
        "output_item.added",
        "image_generation_call.in_progress",
        "image_generation_call.generating",
        "image_generation_call.completed",
        "output_item.done",
    ]
    opened = [event.item.id for event in events if event.type == "response.output_item.added"]
    closed = [event.item.id for event in events if event.type == "response.output_item.done"]
    assert opened == closed == [item.id for item in events[-1].response.output]
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_responses_a_stream_is_parsed_as_it_comes(openai_client):
    with openai_client.responses.stream(
        model="json", input=responses.ASK, text_format=Result
    ) as stream:
        assert stream.get_final_response().output_parsed == Result(answer=42)


def test_responses_a_conversation_of_several_turns_with_tools(openai_client, served):
    options = {"model": "weather", "tools": responses.TOOLS}
    first = openai_client.responses.create(input=QUESTION, **options)
    results = [
        {"type": "function_call_output", "call_id": id, "output": what}
        for id, what in (("call_paris", "rain"), ("call_rome", "sun"))
    ]
    second = openai_client.responses.create(input=results, previous_response_id=first.id, **options)
    third = openai_client.responses.create(
        input="Say it again.", previous_response_id=second.id, **options
    )
    assert (
        second.output_text == third.output_text == "It is rain and sun."
        and third.previous_response_id == second.id
    )
    sent = served.models["weather"].requests[-1].messages
    assert [message.role for message in sent] == ["user", "assistant", "tool", "assistant", "user"]
    assert [part.id for part in sent[1].parts] == ["call_paris", "call_rome"] and sent[
        -1
    ].text == "Say it again."


def test_responses_one_call_at_a_time_is_all_that_the_next_turn_knows_of(openai_client, served):
    options = {"model": "weather", "tools": responses.TOOLS, "parallel_tool_calls": False}
    first = openai_client.responses.create(input=QUESTION, **options)
    assert [item.call_id for item in first.output if item.type == "function_call"] == ["call_paris"]
    result = {"type": "function_call_output", "call_id": "call_paris", "output": "rain"}
    done = openai_client.responses.create(input=[result], previous_response_id=first.id, **options)
    assert done.output_text == "It is rain."
    assert [part.id for part in served.models["weather"].requests[-1].messages[1].parts] == [
        "call_paris"
    ]


def test_responses_of_another_branch_go_on_from_where_they_were(openai_client, served):
    first = openai_client.responses.create(model="plain", input="One.")
    for said in ("Two.", "Three."):
        openai_client.responses.create(model="plain", input=said, previous_response_id=first.id)
        assert [message.text for message in served.models["plain"].requests[-1].messages] == [
            "One.",
            "42",
            said,
        ]


async def test_responses_asynchronously(served):
    async with openai.AsyncOpenAI(
        base_url=f"{served.url}/v1", api_key="none", max_retries=0
    ) as client:
        async with client.responses.stream(model="contemplating", input=responses.ASK) as stream:
            kinds = [event.type async for event in stream]
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed"


# Messages.


def test_messages_a_tool_may_give_back_an_image(anthropic_client, served):
    used = {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "a", "name": "weather", "input": {}}],
    }
    result = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "a", "content": [messages.IMAGE]}],
    }
    messages.create(anthropic_client, messages=[*messages.ASK, used, result], tools=messages.TOOLS)
    part = served.models["plain"].requests[-1].messages[-1].parts[0]
    assert [type(item).__name__ for item in part.content] == ["Image"]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"type": "any"}, "required"),
        ({"type": "tool", "name": "weather"}, "weather"),
        ({"type": "none"}, "none"),
    ],
)
def test_messages_a_choice_of_tools_reaches_the_model(anthropic_client, served, choice, told):
    messages.create(anthropic_client, model="weather", tools=messages.TOOLS, tool_choice=choice)
    assert served.models["weather"].requests[-1].tool_choice == told


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [
        ({"type": "enabled", "budget_tokens": 1024}, "minimal"),
        ({"type": "enabled", "budget_tokens": 2000}, "low"),
        ({"type": "enabled", "budget_tokens": 10_000}, "medium"),
        ({"type": "enabled", "budget_tokens": 16_000}, "high"),
        ({"type": "adaptive"}, None),
        ({"type": "disabled"}, "none"),
    ],
)
def test_messages_thinking_is_an_effort_and_is_shown(anthropic_client, served, thinking, effort):
    done = messages.create(anthropic_client, thinking=thinking, max_tokens=20_000)
    assert (
        served.models["plain"].requests[-1].effort == effort and done.content[0].thinking == "Hm. "
    )


async def test_messages_asynchronously(served):
    async with (
        anthropic.AsyncAnthropic(base_url=served.url, api_key="none", max_retries=0) as client,
        client.messages.stream(
            model="contemplating", max_tokens=100, messages=messages.ASK
        ) as stream,
    ):
        assert "".join([text async for text in stream.text_stream]) == "42"


# Pictures that the native model reads, through each of them.


def test_an_image_that_the_native_model_reads(native):
    problem = load_task("lake").generate(random.Random(3), held_out=True)
    image = base64.b64encode(encode_png(problem.image)).decode()
    url = f"data:image/png;base64,{image}"
    source = {"type": "base64", "media_type": "image/png", "data": image}
    with openai.OpenAI(base_url=f"{native.url}/v1", api_key="none", max_retries=0) as client:
        said = [
            {"type": "text", "text": problem.question},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        done = client.chat.completions.create(
            model="thinking", messages=[{"role": "user", "content": said}]
        )
        answers = {done.choices[0].message.content}
        seen = [
            {"type": "input_text", "text": problem.question},
            {"type": "input_image", "image_url": url, "detail": "auto"},
        ]
        done = client.responses.create(model="thinking", input=[{"role": "user", "content": seen}])
        answers.add(done.output_text)
    with anthropic.Anthropic(base_url=native.url, api_key="none", max_retries=0) as client:
        blocks = [{"type": "image", "source": source}, {"type": "text", "text": problem.question}]
        done = client.messages.create(
            model="thinking", max_tokens=500, messages=[{"role": "user", "content": blocks}]
        )
        answers.add(done.content[-1].text)
    assert answers == {str(ask_sync(problem.question, images=[problem.image], mode="thinking"))}


def test_the_models_are_listed_for_both_clients(openai_client, anthropic_client):
    names = [model.id for model in openai_client.models.list()]
    assert names[:3] == ["instant", "thinking", "contemplating"] and names == [
        model.id for model in anthropic_client.models.list()
    ]
    assert (
        openai_client.models.retrieve("contemplating/plain").id
        == anthropic_client.models.retrieve("contemplating/plain").id
    )
