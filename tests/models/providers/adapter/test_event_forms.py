"""Forms of events, chunks and arguments in which servers differ, on the fast path and on the way with tools."""

import json

import pytest
from models.providers.servers import Raw, serving

from musespark.content import Request, Text, ToolCall, ToolSpec
from musespark.models.model import Finish, UsageDelta
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import Compatible

WEIGH = ToolSpec.of(
    "weigh", "Weighs.", {"type": "object", "properties": {"what": {"type": "string"}}}
)
WAYS = [Request.of("What?"), Request.of("What?", tools=(WEIGH,))]
BOTH = pytest.mark.parametrize("request_", WAYS, ids=["fast", "tools"])
COUNTED = {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}


def choice(text=None, finish=None, index=0, **more):
    delta = {} if text is None else {"delta": {"content": text}}
    return {"index": index, "finish_reason": finish, **delta, **more}


def chunk(*choices, **more):
    return {"id": "c", "object": "chat.completion.chunk", "choices": list(choices), **more}


def event(chunk, field="data: "):
    return f"{field}{json.dumps(chunk)}\n\n"


SAID = [chunk(choice("two ")), chunk(choice("words")), chunk(choice("", "stop"), usage=COUNTED)]
BODY = "".join(map(event, SAID))
LINES = "".join(json.dumps(each) + "\n" for each in SAID)
DONE = "data: [DONE]\n\n"


async def heard(body, request):
    async with serving("chat", Raw(body)) as server:
        model = RemoteModel(Compatible(), "any", RemoteOptions(base_url=server.url))
        deltas = [delta async for delta in model.stream(request)]
    assert isinstance(deltas[-1], Finish), deltas
    text = "".join(part.text for part in deltas[-1].message.parts if isinstance(part, Text))
    return text, deltas


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        BODY + "data:  [DONE] \n\n",
        BODY + "data: [done]\n\n",
        BODY + 'data: "[DONE]"\n\n',
        "".join(event(each, "data:  ") for each in SAID) + DONE,
        "".join(event(each, "data: data: ") for each in SAID) + "data: data: [DONE]\n\n",
        "data: null\n\n" + BODY + DONE,
        "event: ping\ndata: 17:02:11\n\n" + BODY + DONE,
        "event: heartbeat\ndata: {}\n\n" + BODY + DONE,
        'data: ping\n\ndata: "keep-alive"\n\n' + BODY + DONE,
        LINES + "[DONE]\n",
    ],
)
async def test_events_are_read_in_any_writing(body, request_):
    text, deltas = await heard(body, request_)
    assert text == "two words" and deltas[-1].finish_reason == "finished"


@BOTH
@pytest.mark.parametrize("text", ["ping", "null", "[DONE]", "data: x"])
async def test_a_text_like_a_mark_is_a_text(text, request_):
    body = event(chunk(choice(text))) + event(chunk(choice("", "stop"))) + DONE
    assert (await heard(body, request_))[0] == text


def message(text, finish=None):
    return choice(finish=finish, message={"role": "assistant", "content": text})


@BOTH
@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(choice("two ")), chunk(choice("ANOTHER", index=1)), *SAID[1:]],
        [chunk(choice("two "), choice("ANOTHER", index=1)), *SAID[1:]],
        [chunk(message("two ")), chunk(message("two words", "stop"))],
        [chunk(message("two ")), chunk(message("words")), chunk(message("", "stop"))],
        [*SAID[:2], chunk(message("two words", "stop"))],
        [*SAID[:2], chunk(choice(finish="stop", delta=None))],
        [*SAID[:2], chunk(choice(finish="stop"))],
        [chunk(choice("two ", logprobs=[])), *SAID[1:]],
        [chunk(choice("two "), usage=[]), *SAID[1:]],
    ],
)
async def test_one_reply_is_read_once_and_whole(chunks, request_):
    text, deltas = await heard("".join(map(event, chunks)) + DONE, request_)
    assert text == "two words" and deltas[-1].finish_reason == "finished"


@BOTH
@pytest.mark.parametrize("finish", ["length_limit", "response_length_exceeded", "MAX_TOKENS_HIT"])
async def test_any_name_of_the_length_is_the_length(finish, request_):
    body = event(chunk(choice("two words"))) + event(chunk(choice("", finish))) + DONE
    assert (await heard(body, request_))[1][-1].finish_reason == "length"


@BOTH
@pytest.mark.parametrize(
    "more",
    [
        {"usage": {"prompt_tokens": 4, "total_tokens": 7}},
        {"usage": {"prompt_tokens": 4, "completion_tokens": None, "total_tokens": 7}},
        {"usage": {"promptTokens": 4, "completionTokens": 3}},
        {"x_groq": {"id": "r", "usage": COUNTED}},
    ],
)
async def test_tokens_are_counted_under_any_name(more, request_):
    body = event(SAID[0]) + event(chunk(choice("words", "stop"), **more)) + DONE
    _, deltas = await heard(body, request_)
    last = [each.usage for each in deltas if isinstance(each, UsageDelta)][-1]
    assert (last.prompt_tokens, last.tokens) == (4, 7)


def called(*calls):
    pieces = [
        {"id": id, "type": "function", "function": {"name": "weigh", "arguments": arguments}}
        for id, arguments in calls
    ]
    made = {"index": 0, "delta": {"tool_calls": pieces}, "finish_reason": "tool_calls"}
    return event(chunk(made)) + DONE


async def calls_in(body):
    _, deltas = await heard(body, WAYS[1])
    return [part for part in deltas[-1].message.parts if isinstance(part, ToolCall)]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"what": "a"}}',
        '{"what": "a"}<|im_end|>',
        '{"what": "a"}\n</tool_call>',
        '{"what": "a"} and then I wait.',
        'Arguments: {"what": "a"}',
        "{'what': 'a'}",
        "{'what': 'a',}",
        '{"what": "a",}',
        '[{"what": "a"}]',
    ],
)
async def test_arguments_that_are_almost_json_are_read(arguments):
    (call,) = await calls_in(called(("1", arguments)))
    assert call.parsed() == {"what": "a"}


@pytest.mark.parametrize(
    "arguments", ['{"what": "a', '{"what": a}', '{"what": "a"} or {"what": b}', "{what}", "{1: 2}"]
)
async def test_arguments_that_may_mean_anything_stay_as_they_are(arguments):
    (call,) = await calls_in(called(("1", arguments)))
    assert call.arguments == arguments


async def test_calls_with_one_id_are_two_if_they_ask_for_different_things():
    both = await calls_in(called(("1", '{"what": "a"}'), ("1", '{"what": "b"}')))
    assert [call.parsed()["what"] for call in both] == ["a", "b"] and both[0].id != both[1].id
    again = await calls_in(called(("1", '{"what": "a"}'), ("1", '{"what": "a"}')))
    assert [call.parsed()["what"] for call in again] == ["a"]
