"""Responses, through OpenAI's own client."""

import base64
import json

import openai
import pydantic
import pytest

from musespark.models.fake import DOT

ASK = "What is 6 * 7?"
TOOLS = [
    {
        "type": "function",
        "name": "weather",
        "description": "The weather in a city.",
        "strict": False,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]
DATA_URL = "data:image/png;base64," + base64.b64encode(DOT).decode()


def test_an_answer(openai_client):
    done = openai_client.responses.create(model="plain", input=ASK)
    assert (done.output_text, done.status, done.object, done.model) == (
        "42",
        "completed",
        "response",
        "plain",
    )
    assert [item.type for item in done.output] == ["reasoning", "message"]
    assert done.output[0].summary[0].text == "Hm. "
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.total_tokens) == (
        4,
        6,
        10,
    )
    assert done.id == f"resp_{done.muse['run']}"


def test_the_order_of_events_in_a_stream(openai_client):
    events = list(openai_client.responses.create(model="halting", input=ASK, stream=True))
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == "42" and events[-1].response.usage.total_tokens == 10


def test_a_stream_adds_up_to_the_response(openai_client):
    with openai_client.responses.stream(model="contemplating", input=ASK) as stream:
        done = stream.get_final_response()
    assert done.output_text == "42"
    assert done.output[0].summary[0].text.startswith("Up to 8 agents of plain think about it.\n")
    assert sum(agent["tokens"] for agent in done.muse["agents"].values()) == 20
    assert done.usage.total_tokens == 10 and done.usage.input_tokens_details.team_tokens == 4
    assert done.usage.output_tokens_details.team_tokens == 6


def test_tools_and_their_results(openai_client):
    for model in ("weather", "contemplating/weather"):
        done = openai_client.responses.create(model=model, input=ASK, tools=TOOLS)
        called = [item for item in done.output if item.type == "function_call"]
        assert [json.loads(item.arguments)["city"] for item in called] == [
            "Paris",
            "Rome",
        ] and done.status == "completed"
        sun = [{"type": "input_text", "text": "sun"}]
        results = [
            {"type": "function_call_output", "call_id": called[0].call_id, "output": "rain"},
            {"type": "function_call_output", "call_id": called[1].call_id, "output": sun},
        ]
        by_id = openai_client.responses.create(
            model=model, previous_response_id=done.id, input=results, tools=TOOLS
        )
        said = [item.model_dump() for item in done.output]
        whole = openai_client.responses.create(
            model=model, input=[{"role": "user", "content": ASK}, *said, *results], tools=TOOLS
        )
        assert by_id.output_text == whole.output_text == "It is rain and sun."


def test_tools_in_a_stream(openai_client):
    events = list(
        openai_client.responses.create(model="weather", input=ASK, tools=TOOLS, stream=True)
    )
    assert [event.type.removeprefix("response.") for event in events[2:6]] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert events[-1].response.output[1].name == "weather"


def test_a_conversation_goes_on_without_the_old_instructions(openai_client, served):
    first = openai_client.responses.create(model="plain", input=ASK, instructions="Be brief.")
    openai_client.responses.create(
        model="plain", input="And doubled?", previous_response_id=first.id, instructions="Be kind."
    )
    messages = served.models["plain"].requests[-1].messages
    assert [(message.role, message.text) for message in messages] == [
        ("system", "Be kind."),
        ("user", ASK),
        ("assistant", "42"),
        ("user", "And doubled?"),
    ]


def test_what_was_not_stored_cannot_be_gone_on_from(openai_client):
    first = openai_client.responses.create(model="plain", input=ASK, store=False)
    for id in (first.id, "resp_../../etc/passwd", "x" * 128):
        with pytest.raises(openai.BadRequestError) as refused:
            openai_client.responses.create(model="plain", input="And?", previous_response_id=id)
        assert refused.value.code == "previous_response_not_found"


def test_images_in_and_out(openai_client, served):
    done = openai_client.responses.create(
        model="painter",
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": DATA_URL, "detail": "auto"},
                    {"type": "input_text", "text": "Draw this."},
                ],
            }
        ],
    )
    assert [image.data for image in served.models["painter"].requests[-1].images] == [DOT]
    drawn = [item for item in done.output if item.type == "image_generation_call"]
    assert [base64.b64decode(item.result) for item in drawn] == [DOT] and drawn[
        0
    ].status == "completed"
    assert done.muse["pictures"] == [f"/v1/runs/{done.muse['run']}/pictures/1"]
    openai_client.responses.create(
        model="painter",
        input=[
            {"role": "user", "content": "Draw."},
            *[item.model_dump() for item in done.output],
            {"role": "user", "content": "Again."},
        ],
    )
    assert [image.data for image in served.models["painter"].requests[-1].images] == [DOT]


class Result(pydantic.BaseModel):
    answer: int


def test_structured_output_is_parsed(openai_client):
    done = openai_client.responses.parse(model="contemplating/json", input=ASK, text_format=Result)
    assert done.output_parsed == Result(answer=42)
    with pytest.raises(openai.InternalServerError, match="does not fit the schema"):
        openai_client.responses.parse(model="prose", input=ASK, text_format=Result)


def test_the_limit_of_tokens_is_told(openai_client):
    done = openai_client.responses.create(model="long", input=ASK, max_output_tokens=5)
    assert (done.status, done.incomplete_details.reason) == ("incomplete", "max_output_tokens")


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ({"background": True}, "background"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"conversation": "conv_1"}, "conversation"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(openai_client, option, named):
    with pytest.raises(openai.BadRequestError) as refused:
        openai_client.responses.create(**{"model": "plain", "input": ASK, **option})
    assert refused.value.param == named


def test_a_failure_in_a_stream_is_an_event(openai_client):
    events = list(openai_client.responses.create(model="late-broken", input=ASK, stream=True))
    assert events[-1].type == "response.failed" and "it broke" in events[-1].response.error.message
    assert events[-1].response.output[0].content[0].text == "Well, "
