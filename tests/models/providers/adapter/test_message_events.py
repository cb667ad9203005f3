"""Events of Anthropic's Messages from gateways that leave out names, counts and ends, or write them in another way."""

import copy
import json

import pytest
from models.providers.kinds import KINDS
from models.providers.servers import Raw, serving

from musespark.content import Request, ToolCall, ToolSpec
from musespark.errors import ModelFailed
from musespark.models.model import Finish, UsageDelta

ANTHROPIC = next(kind for kind in KINDS if kind.wire == "anthropic")
WEIGH = ToolSpec.of("weigh", "Weighs.", {"type": "object", "properties": {}})


def started(**block):
    return {"type": "content_block_start", "index": 0, "content_block": block}


def grown(**delta):
    return {"type": "content_block_delta", "index": 0, "delta": delta}


START = {
    "type": "message_start",
    "message": {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 4, "output_tokens": 1},
    },
}
CLOSED = {"type": "content_block_stop", "index": 0}
SAID = [started(type="text", text=""), grown(type="text_delta", text="two words"), CLOSED]
CALLED = [
    started(type="tool_use", id="1", name="weigh", input={}),
    grown(type="input_json_delta", partial_json='{"a": 1}'),
    CLOSED,
]
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 3},
}
STOP = {"type": "message_stop"}


def body(*events, named=True):
    return "".join(
        (f"event: {each['type']}\n" if named else "") + f"data: {json.dumps(each)}\n\n"
        for each in events
    )


def without(event, *path):
    """An event without a field."""
    event = copy.deepcopy(event)
    inner = event
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return event


async def heard(text, tools=()):
    async with serving("anthropic", Raw(text)) as server:
        model = ANTHROPIC.at(server.url)
        return [delta async for delta in model.stream(Request.of("What?", tools=tools))]


WHOLE = body(START, *SAID, END, STOP)
FORMS = {
    "no names": body(START, *SAID, END, STOP, named=False),
    "a byte order mark": "\ufeff" + WHOLE,
    "no counts at the start": body(without(START, "message", "usage"), *SAID, END, STOP),
    "no counts at the end": body(START, *SAID, without(END, "usage"), STOP),
    "null for counts": body(START, *SAID, {**END, "usage": None}, STOP),
    "null for a count": body(START, *SAID, {**END, "usage": {"output_tokens": None}}, STOP),
    "no reason": body(START, *SAID, {**END, "delta": {"stop_reason": None}}, STOP),
    "no end but the last": body(START, *SAID, STOP),
    "no id": body(without(START, "message", "id"), *SAID, END, STOP),
    "another mark at the end": WHOLE + "data: [DONE]\n\n",
    "one document as an event": body(
        {
            **START["message"],
            "content": [{"type": "text", "text": "two words"}],
            "stop_reason": "end_turn",
        }
    ),
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_reply_is_read_in_every_form(form):
    deltas = await heard(FORMS[form])
    assert isinstance(deltas[-1], Finish) and deltas[-1].finish_reason == "finished"
    assert deltas[-1].message.text == "two words"


async def test_counts_are_those_of_the_server():
    for form in ("no names", "no reason", "another mark at the end"):
        counted = [each.usage for each in await heard(FORMS[form]) if isinstance(each, UsageDelta)]
        assert (counted[-1].prompt_tokens, counted[-1].tokens) == (4, 7)


async def test_what_was_not_counted_is_estimated():
    for form in ("no counts at the end", "null for a count"):
        counted = [each.usage for each in await heard(FORMS[form]) if isinstance(each, UsageDelta)]
        assert counted[-1].prompt_tokens == 4 and counted[-1].critical_path > 0


async def test_a_call_without_a_reason_is_a_call():
    deltas = await heard(body(START, *CALLED, STOP, named=False), (WEIGH,))
    calls = [part for part in deltas[-1].message.parts if isinstance(part, ToolCall)]
    assert [(call.name, call.parsed()) for call in calls] == [("weigh", {"a": 1})]


async def test_an_error_without_a_name_is_an_error():
    error = {"type": "error", "error": {"type": "api_error", "message": "the wheel is off"}}
    with pytest.raises(ModelFailed, match="the wheel is off"):
        await heard(body(START, error, named=False))


async def test_a_reply_that_breaks_off_is_not_taken_for_whole():
    deltas = await heard(body(START, *SAID))
    assert not isinstance(deltas[-1], Finish)
