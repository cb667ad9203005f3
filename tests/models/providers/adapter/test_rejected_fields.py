"""A request that a server rejects for a field which it does not need is sent once more without it."""

import json

import pytest
from models.providers.servers import Raw, Say, serving

from musespark.content import Message, Request, Text, ToolSpec
from musespark.errors import ModelFailed
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import Compatible

WEIGH = ToolSpec.of("weigh", "Weighs.", {"type": "object", "properties": {}})
BOTH = pytest.mark.parametrize("tools", [(), (WEIGH,)], ids=["fast", "tools"])


def rejection(message, status=400, **more):
    error = {"message": message, "type": "invalid_request_error", **more}
    return Raw(json.dumps({"error": error}), status, (("content-type", "application/json"),))


async def exchanged(request, *script):
    """The bodies that a server got, and the answer, or the failure."""
    async with serving("chat", *script) as server:
        model = RemoteModel(Compatible(), "any", RemoteOptions(base_url=server.url))
        try:
            deltas = [delta async for delta in model.stream(request)]
        except ModelFailed as failed:
            return server.bodies, failed
        return server.bodies, deltas[-1].message.text


@BOTH
@pytest.mark.parametrize(
    "rejected",
    [
        rejection("Unrecognized request argument supplied: stream_options"),
        rejection("[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]", 422),
        rejection("no such field", param="stream_options"),
    ],
)
async def test_usage_is_not_asked_for_where_it_is_rejected(rejected, tools):
    (first, second), answer = await exchanged(
        Request.of("What?", tools=tools), rejected, Say("Twelve.")
    )
    assert answer == "Twelve." and "stream_options" in first
    del first["stream_options"]
    assert second == first


@BOTH
async def test_the_most_tokens_are_told_under_the_name_that_the_server_knows(tools):
    bodies, answer = await exchanged(
        Request.of("What?", tools=tools, max_tokens=50),
        rejection(
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        ),
        Say("Twelve."),
    )
    assert answer == "Twelve." and len(bodies) == 2
    assert bodies[0]["max_tokens"] == bodies[1]["max_completion_tokens"] == 50
    assert "max_tokens" not in bodies[1]


@BOTH
@pytest.mark.parametrize(
    "message",
    ["System role not supported", "System messages are not supported by this model."],
)
async def test_instructions_stand_in_the_question_where_there_is_no_system(message, tools):
    told = Message("system", (Text("Be short."),))
    request = Request(messages=(told, Message("user", (Text("What?"),))), tools=tools)
    bodies, answer = await exchanged(request, rejection(message), Say("Twelve."))
    assert answer == "Twelve."
    assert [each["role"] for each in bodies[0]["messages"]] == ["system", "user"]
    assert bodies[1]["messages"] == [{"role": "user", "content": "Be short.\n\nWhat?"}]


@BOTH
@pytest.mark.parametrize(
    "message",
    [
        "Unsupported value: 'temperature' does not support 0.8 with this model. Only the default (1) value is supported.",
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "`temperature` is deprecated for this model.",
        "invalid temperature: only 1 is allowed for this model",
    ],
)
async def test_a_model_that_knows_only_its_own_temperature_is_asked_with_it(message, tools, caplog):
    bodies, answer = await exchanged(
        Request.of("What?", tools=tools, temperature=0.8), rejection(message), Say("Twelve.")
    )
    assert answer == "Twelve." and "temperature" in bodies[0] and "temperature" not in bodies[1]
    assert "only its own temperature" in caplog.text


async def test_the_default_of_the_choice_of_tools_need_not_be_told():
    bodies, answer = await exchanged(
        Request.of("What?", tools=(WEIGH,)),
        rejection("tool_choice is not supported by this model"),
        Say("Twelve."),
    )
    assert answer == "Twelve." and bodies[0]["tool_choice"] == "auto"
    assert "tool_choice" not in bodies[1] and bodies[1]["tools"] == bodies[0]["tools"]


@BOTH
async def test_several_fields_are_rejected_one_after_the_other(tools):
    bodies, answer = await exchanged(
        Request.of("What?", tools=tools, max_tokens=50),
        rejection("stream_options: extra inputs are not permitted"),
        rejection("'max_tokens' is unsupported, use 'max_completion_tokens'"),
        Say("Twelve."),
    )
    assert answer == "Twelve." and len(bodies) == 3


@BOTH
@pytest.mark.parametrize(
    ("rejected", "options"),
    [
        (rejection("temperature must be between 0 and 1"), {"temperature": 1.5}),
        (rejection("Unsupported parameter: seed"), {"seed": 3, "temperature": 0.5}),
        (rejection("max_tokens must be at most 40"), {"max_tokens": 50}),
        (rejection("stream_options needs another plan", 403), {}),
        (rejection("messages: unknown role"), {}),
    ],
)
async def test_what_was_asked_for_stays_and_so_does_the_error(rejected, options, tools):
    bodies, failed = await exchanged(Request.of("What?", tools=tools, **options), rejected)
    assert isinstance(failed, ModelFailed) and len(bodies) == 1
    said = json.loads(rejected.body)["error"]["message"]
    assert said in str(failed)


@BOTH
async def test_a_server_that_rejects_everything_is_not_asked_for_ever(tools):
    rejected = rejection("stream_options is unknown")
    bodies, failed = await exchanged(Request.of("What?", tools=tools), *[rejected] * 9)
    assert len(bodies) == 2 and "stream_options is unknown" in str(failed)
