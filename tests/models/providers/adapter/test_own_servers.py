"""Servers of one's own depart from the standards; what they mean is understood, on the fast path and on the way with tools."""

import json

import pytest
from models.providers.kinds import KINDS
from models.providers.servers import Raw, serving

from musespark.content import Request, Thinking, ToolCall, ToolSpec
from musespark.errors import ConnectionLost, ModelFailed, RateLimited
from musespark.models.model import Finish, TextBecameThought, TextDelta, UsageDelta
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import VLLM, Compatible
from musespark.models.providers.openai import OpenAI

WEIGH = ToolSpec.of(
    "weigh", "Weighs.", {"type": "object", "properties": {"what": {"type": "string"}}}
)
WAYS = [Request.of("What?"), Request.of("What?", tools=(WEIGH,))]
"""The second one does not fit the fast path."""
BOTH = pytest.mark.parametrize("request_", WAYS, ids=["fast", "tools"])
JSON = (("content-type", "application/json"),)


def chunk(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
        **more,
    }


def events(*chunks, done=True):
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks)
    return body + "data: [DONE]\n\n" * done


def says(*texts, finish="stop"):
    return [*(chunk({"content": text}) for text in texts), chunk({}, finish)]


def calls(*pieces, **more):
    return [chunk({"tool_calls": list(pieces)}), chunk({}, "tool_calls", **more)]


async def heard(reply, request, kind=Compatible, **options):
    raw = reply if isinstance(reply, Raw) else Raw(reply)
    async with serving("chat", raw) as server:
        model = RemoteModel(kind(), "any", RemoteOptions(base_url=server.url, **options))
        return [delta async for delta in model.stream(request)]


async def message_of(reply, request, **options):
    deltas = await heard(reply, request, **options)
    assert isinstance(deltas[-1], Finish), deltas
    return deltas[-1].message


def thoughts_of(message):
    return "".join(part.text for part in message.parts if isinstance(part, Thinking))


def calls_of(message):
    return [(part.name, part.parsed()) for part in message.parts if isinstance(part, ToolCall)]


@BOTH
@pytest.mark.parametrize("name", ["any", "qwen3-8b", "deepseek-r1"])
@pytest.mark.parametrize(
    "texts",
    [
        ("<think>hm</think>Twelve."),
        ("<think>\n", "hm", "\n</think>\n\n", "Twelve."),
        ("<th", "ink>h", "m</thi", "nk>Twelve."),
        ("hm", "</think>", "Twelve."),
        ("[THINK]hm[/THINK]", "Twelve."),
        ("<think>", "hm", "</think>", "\n\n", "Twelve."),
    ],
)
async def test_thoughts_within_the_text_are_no_answer(texts, name, request_):
    texts = (texts,) if isinstance(texts, str) else texts
    async with serving("chat", Raw(events(*says(*texts)))) as server:
        model = RemoteModel(Compatible(), name, RemoteOptions(base_url=server.url))
        deltas = [delta async for delta in model.stream(request_)]
    said = ""
    for delta in deltas:
        said = (
            ""
            if isinstance(delta, TextBecameThought)
            else said + (delta.text if isinstance(delta, TextDelta) else "")
        )
    message = deltas[-1].message
    assert said == message.text == "Twelve." and thoughts_of(message).strip() == "hm"


@BOTH
async def test_thoughts_go_back_to_the_server_that_wrote_them(request_):
    async with serving("chat", Raw(events(*says("<think>hm</think>Twelve.")))) as server:
        model = RemoteModel(Compatible(), "any", RemoteOptions(base_url=server.url))
        deltas = [delta async for delta in model.stream(request_)]
        told = (*request_.messages, deltas[-1].message, *WAYS[0].messages)
        async for _ in model.stream(Request(messages=told)):
            pass
        sent = server.bodies[-1]["messages"][1]["content"]
    assert "<think>" in sent and "hm" in sent and sent.rstrip().endswith("Twelve.")


@BOTH
@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning": "hm"},
        {"reasoning_content": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]},
        {"reasoning": {"content": "hm"}},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_text": "hm"},
        {"thinking": "hm"},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
    ],
    ids=lambda delta: json.dumps(delta)[:60],
)
async def test_thoughts_in_any_field_are_thoughts(delta, request_):
    message = await message_of(events(chunk(delta), *says("Twelve.")), request_)
    assert message.text == "Twelve." and thoughts_of(message) == "hm"


def piece(arguments, name=None, id=None, index=0, **more):
    function = {"arguments": arguments, **({"name": name} if name else {})}
    found = {"index": index, "id": id, "type": "function", "function": function, **more}
    return {key: value for key, value in found.items() if value is not None}


STONE, WOOD = {"what": "stone"}, {"what": "wood"}
ONE, TWO = json.dumps(STONE), json.dumps(WOOD)


@BOTH
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([piece(ONE[:5], "weigh", "a"), piece(ONE[5:], "weigh", "a")], [STONE]),
        ([piece(ONE[:5], "weigh", "a"), piece(ONE[5:], None, "b")], [STONE]),
        ([piece(ONE[:5], "weigh"), piece(ONE[5:], None, "late")], [STONE]),
        ([piece(ONE, " weigh\n", "a")], [STONE]),
        (
            [piece(ONE, "we", "a", 0) | {"function": {"name": "we"}}, piece(ONE, "igh", "a")],
            [STONE],
        ),
        ([piece(ONE, "weigh", "a"), piece(TWO, "weigh", "b")], [STONE, WOOD]),
        ([piece(ONE, "weigh"), piece(TWO, "weigh")], [STONE, WOOD]),
        ([piece(ONE, "weigh", "a", None), piece(TWO, "weigh", "b", None)], [STONE, WOOD]),
        ([piece(ONE[:5], "weigh", "a", None), piece(ONE[5:], None, None, None)], [STONE]),
        ([piece(ONE, "weigh", "a", 0), piece(TWO, "weigh", "a", 1)], [STONE, WOOD]),
        ([piece(ONE, "weigh", "a"), piece(ONE, "weigh", "a")], [STONE]),
        ([piece(STONE, "weigh", "a")], [STONE]),
        ([piece("", "weigh", "a")], [{}]),
        ([piece("null", "weigh", "a")], [{}]),
        ([{"index": 0, "id": "a", "function": {"name": "weigh", "arguments": None}}], [{}]),
        ([piece(json.dumps(ONE), "weigh", "a")], [STONE]),
        ([piece("{}" + ONE, "weigh", "a")], [STONE]),
        ([piece(ONE, "functions.weigh", "a")], [STONE]),
        ([piece(ONE, "Weigh", "a")], [STONE]),
        ([piece(ONE, "weigh<|channel|>commentary", "a")], [STONE]),
    ],
    ids=str,
)
async def test_pieces_of_calls_are_joined(pieces, expected, request_):
    together = await message_of(events(*calls(*pieces)), request_)
    each = [chunk({"tool_calls": [one]}) for one in pieces]
    one_by_one = await message_of(events(*each, chunk({}, "stop")), request_)
    if not request_.tools:  # without tools nothing says which one is meant
        assert len(calls_of(together)) == len(calls_of(one_by_one)) == len(expected)
        return
    for message in (together, one_by_one):
        assert calls_of(message) == [("weigh", arguments) for arguments in expected]
        ids = [part.id for part in message.parts if isinstance(part, ToolCall)]
        assert all(ids) and len(set(ids)) == len(ids)


@BOTH
async def test_a_call_in_the_old_form_is_one(request_):
    function = {"name": "weigh", "arguments": ONE}
    reply = events(chunk({"function_call": function}), chunk({}, "function_call"))
    assert calls_of(await message_of(reply, request_)) == [("weigh", STONE)]


WHOLE = {
    "id": "c",
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Twelve."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7},
}


@BOTH
@pytest.mark.parametrize(
    "reply",
    [
        Raw(json.dumps(WHOLE), headers=JSON),
        Raw(json.dumps(WHOLE, indent=2)),
        Raw("\ufeff" + json.dumps(WHOLE), headers=JSON),
        Raw(
            "\n".join(map(json.dumps, says("Twelve."))),
            headers=(("content-type", "application/x-ndjson"),),
        ),
        Raw("\ufeff" + events(*says("Twelve."))),
        Raw(": hello\n\nretry: 10\n\nid: 1\n" + events(*says("Twelve."))),
        Raw("event: message\n" + events(*says("Twelve."))),
        Raw(events(*says("Twelve.")).replace("\n", "\r\n")),
        Raw(events(*says("Twelve.")).replace("\n", "\r")),
        Raw(events(*says("Twelve.")).replace("data: ", "data:")),
        Raw(events(*says("Twelve."), done=False)),
        Raw(events(*says("Twelve."), done=False).rstrip()),
        Raw("\n".join(f"data: {json.dumps(each)}" for each in says("Twelve."))),
        Raw(events(chunk({"content": "Twelve."}))),
        Raw(events(chunk({"content": "Twelve."}, "stop"), {"choices": [], "usage": None})),
        Raw(events({"choices": [{"text": "Twelve.", "index": 0, "finish_reason": "stop"}]})),
    ],
    ids=lambda raw: raw.body[:40].replace("\n", "|"),
)
async def test_a_body_in_another_form_is_read(reply, request_):
    assert (await message_of(reply, request_)).text == "Twelve."


@BOTH
async def test_a_whole_message_with_calls_is_read(request_):
    call = {"id": "a", "type": "function", "function": {"name": "weigh", "arguments": ONE}}
    message = {"role": "assistant", "content": None, "tool_calls": [call, {**call, "id": "b"}]}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    found = await message_of(Raw(json.dumps(whole), headers=JSON), request_)
    assert calls_of(found) == [("weigh", STONE)] * 2


@BOTH
@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("eos", "finished"),
        ("end_turn", "finished"),
        ("something new", "finished"),
        ("max_tokens", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ({"type": "stop"}, "finished"),
    ],
)
async def test_an_end_under_another_name_is_an_end(reason, expected, request_):
    deltas = await heard(events(*says("Twelve.", finish=reason)), request_)
    assert isinstance(deltas[-1], Finish) and deltas[-1].finish_reason == expected


@BOTH
@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 11, "completion_tokens": 7},
        {"input_tokens": 11, "output_tokens": 7},
        {"prompt_tokens": "11", "completion_tokens": 7.0, "total_tokens": None},
    ],
)
async def test_usage_under_other_names_is_usage(usage, request_):
    last = {"choices": [], "usage": usage}
    deltas = await heard(events(*says("Twelve."), last), request_)
    total = [delta.usage for delta in deltas if isinstance(delta, UsageDelta)][-1]
    assert (total.prompt_tokens, total.tokens) == (11, 18)


@BOTH
@pytest.mark.parametrize(
    ("error", "passing"),
    [
        ({"error": {"message": "Overloaded", "type": "overloaded_error"}}, True),
        ({"error": {"message": "The engine is currently overloaded"}}, True),
        ({"error": "Too many requests, slow down"}, True),
        ({"error": {"message": "no", "code": 503}}, True),
        ({"object": "error", "message": "the server is busy", "code": 50301}, True),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "rate limit"}}, True),
        ({"detail": "Service temporarily unavailable"}, True),
        ({"errors": [{"message": "high demand, try again later"}]}, True),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, True),
        (
            {
                "choices": [
                    {
                        "index": 0,
                        "error": {"code": 502, "message": "upstream"},
                        "finish_reason": "error",
                    }
                ]
            },
            None,
        ),
        ({"error": {"message": "bad", "type": "server_error"}}, None),
        ({"error": {"message": "No such parameter", "type": "invalid_request_error"}}, False),
        (
            {"error": {"message": "maximum context length is 8192, reduce and try again later"}},
            False,
        ),
    ],
    ids=lambda value: json.dumps(value)[:70],
)
@pytest.mark.parametrize("form", ["event", "named event", "body"])
async def test_an_error_inside_a_reply_is_one(error, passing, form, request_):
    """passing: True for one that waiting helps; None for a fault of the server; False for one that stays."""
    reply = {
        "event": Raw(events(error, done=False)),
        "named event": Raw("event: error\n" + events(error, done=False)),
        "body": Raw(json.dumps(error), headers=JSON),
    }[form]
    with pytest.raises(ModelFailed) as caught:
        await heard(reply, request_)
    assert isinstance(caught.value, RateLimited) == (passing is True)
    if passing is None:
        assert caught.value.status in (500, 502)
    assert str(caught.value).count("\n") == 0 and str(caught.value).endswith(".")


@BOTH
@pytest.mark.parametrize("status", [400, 520, 522, 524, 529, 503])
async def test_a_busy_server_is_told_by_its_words_and_its_status(status, request_):
    reply = Raw('{"error": {"message": "The model is overloaded"}}', status, JSON)
    with pytest.raises(ModelFailed) as caught:
        await heard(reply, request_)
    assert isinstance(caught.value, RateLimited) == (status in (400, 529, 503))
    assert caught.value.status == status


@BOTH
async def test_a_connection_that_closes_before_anything_came_is_lost(request_):
    with pytest.raises(ConnectionLost):
        await heard(Raw("", end="drop"), request_)


async def test_an_end_that_the_library_does_not_know_is_an_end():
    kind = next(kind for kind in KINDS if kind.wire == "anthropic")
    start = {
        "type": "message_start",
        "message": {"id": "m", "type": "message", "role": "assistant", "model": "m"},
    }
    start["message"] |= {
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
    }
    told = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Twelve."},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tired"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    body = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in told)
    async with serving(kind.wire, Raw(body)) as server:
        deltas = [delta async for delta in kind.at(server.url).stream(Request.of("What?"))]
    assert deltas[-1].finish_reason == "finished" and deltas[-1].message.text == "Twelve."


async def test_anthropics_protocol_may_come_as_one_document():
    kind = next(kind for kind in KINDS if kind.wire == "anthropic")
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": "<think>so</think>Twelve."},
        {"type": "tool_use", "id": "a", "name": "weigh", "input": STONE},
    ]
    whole = {"type": "message", "role": "assistant", "content": blocks, "stop_reason": "tool_use"}
    whole["usage"] = {"input_tokens": 11, "output_tokens": 7}
    busy = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    async with serving(
        kind.wire, *(Raw(json.dumps(each), headers=JSON) for each in (whole, busy))
    ) as server:
        model = kind.at(server.url)
        message = [delta async for delta in model.stream(WAYS[1])][-1].message
        with pytest.raises(RateLimited):
            async for _ in model.stream(WAYS[1]):
                pass
    assert message.text == "Twelve." and thoughts_of(message) == "hmso"
    assert calls_of(message) == [("weigh", STONE)]


async def test_a_gateway_in_place_of_a_provider_may_depart_too():
    reply = events(*says("<think>hm</think>Twelve.", finish="eos"))
    assert (await message_of(reply, WAYS[1], kind=OpenAI)).text == "Twelve."
    assert (await message_of(reply, WAYS[0], kind=VLLM)).text == "Twelve."
