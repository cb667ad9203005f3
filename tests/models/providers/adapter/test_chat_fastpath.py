"""The short way to a server that speaks Chat Completions sends and hears the same as the long one, through pydantic-ai."""

import asyncio
import json
from contextlib import aclosing, suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st
from models.providers.servers import Raw, Say, serving

from musespark.content import (
    Image,
    Message,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from musespark.errors import ModelFailed, MuseError
from musespark.models.fake import DOT
from musespark.models.model import TextDelta, ThinkingDelta, UsageDelta
from musespark.models.providers.adapter.chat_fastpath import ChatStream, build_body
from musespark.models.providers.adapter.event_reader import MAX_EVENT_BYTES
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import VLLM, Compatible
from musespark.models.providers.ollama import Ollama

NAMES = ("any", "qwen3-8b", "gemma-3-4b", "gpt-oss-20b", "deepseek-r1")
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
QUESTIONS = WORDS.filter(str.strip)
TURNS = st.lists(st.tuples(WORDS, QUESTIONS), max_size=2)
PIECES = st.one_of(WORDS, st.sampled_from(["<think>", "</think>", "\n", " ", "\n\n", ""]))
DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, PIECES),
    st.builds(
        lambda text: {"content": [{"type": "text", "text": text}, {"type": "reference"}]}, PIECES
    ),
    st.builds(
        lambda field, text: {field: text},
        st.sampled_from(["reasoning", "reasoning_content"]),
        PIECES,
    ),
    st.builds(
        lambda thought, text: {"reasoning_content": thought, "content": text}, PIECES, PIECES
    ),
    st.sampled_from(
        [
            {},
            None,
            {"role": "assistant", "content": ""},
            {"content": None},
            {"refusal": "No."},
            {"refusal": None},
        ]
    ),
    st.builds(
        lambda text: {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "look", "arguments": text},
                }
            ]
        },
        st.sampled_from(["", "{}"]),
    ),
)


def chunk(delta, finish=None, **more):
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        **more,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def whole_texts(deltas):
    """The deltas, pieces that follow each other as one: the short way joins what comes together."""
    found = []
    for delta in deltas:
        if (
            found
            and isinstance(delta, TextDelta | ThinkingDelta)
            and type(delta) is type(found[-1])
        ):
            found[-1] = type(delta)(found[-1].text + delta.text)
        else:
            found.append(delta)
    return found


def both(kind, name, request, reply=None):
    """What each way was asked, and what came of it: the deltas, texts that come in pieces as one, or the error's type."""

    async def ask():
        found = []
        async with serving("chat", *([reply, reply] if reply else [])) as server:
            for plain in (True, False):
                provider = type("Provider", (kind,), {"has_fast_path": plain})()
                model = RemoteModel(provider, name, RemoteOptions(base_url=server.url))
                try:
                    found.append(whole_texts([delta async for delta in model.stream(request)]))
                except MuseError as error:
                    found.append((type(error), error.__dict__.get("status")))
            return server.bodies, found

    return asyncio.run(ask())


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from([Compatible, VLLM, Ollama]),
    name=st.sampled_from(NAMES),
    system=st.none() | WORDS,
    turns=TURNS,
    question=QUESTIONS,
    options=st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.sampled_from([0, 0.5]),
            "top_p": st.just(0.9),
            "seed": st.integers(0, 9),
            "max_tokens": st.just(7),
            "stop": st.just(("END", ".")),
        },
    ),
)
def test_it_sends_the_same(kind, name, system, turns, question, options):
    before = () if system is None else (Message("system", (Text(system),)),)
    said = [
        message
        for answer, asked in turns
        for message in (Message.user(asked), Message("assistant", (Text(answer, "m"),)))
    ]
    request = Request(messages=(*before, *said, Message.user(question)), **options)
    bodies, _ = both(kind, name, request)
    assert bodies[0] == bodies[1]


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from([Compatible, VLLM, Ollama]),
    name=st.sampled_from(NAMES),
    deltas=st.lists(DELTAS, max_size=8),
    finish=st.sampled_from(["stop", "length", "content_filter", "tool_calls", "other", None]),
    usage=st.booleans(),
    ends=st.sampled_from(["\n\n", "\r\n\r\n"]),
    done=st.booleans(),
    stopped=st.sampled_from([None, 7, "END"]),
)
def test_it_hears_the_same(kind, name, deltas, finish, usage, ends, done, stopped):
    last = chunk({}, finish)
    if kind is not Ollama:
        last["choices"][0]["stop_reason"] = stopped
    chunks = [*map(chunk, deltas), last]
    if usage:
        told = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        chunks.append({**chunk({}), "choices": [], "usage": told})
    body = (
        ": hello"
        + ends
        + "".join(f"data: {json.dumps(each)}{ends}" for each in chunks)
        + ("data: [DONE]" + ends) * done
    )
    _, (short, long) = both(kind, name, Request.of("What?"), Raw(body))
    assert short == long


def test_what_comes_together_goes_on_as_one_piece():
    said = [
        *map(lambda word: chunk({"content": word}), ["one ", "two ", "three"]),
        chunk({}, "stop"),
    ]
    thought = [*map(lambda word: chunk({"reasoning_content": word}), ["a", "b"])]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in [*thought, *said])

    async def heard(model):
        found = []
        with suppress(ModelFailed):
            async for delta in model.stream(Request.of("What?")):
                found.append(delta)
        return [delta for delta in found if isinstance(delta, TextDelta | ThinkingDelta)]

    async def ask():
        async with serving("chat", Raw(body), Raw(body[:-9] + "no JSON}\n\n")) as server:
            model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=server.url))
            return await heard(model), await heard(model)

    whole, broken = asyncio.run(ask())
    assert whole == broken == [ThinkingDelta("ab"), TextDelta("one two three")]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "data: \n\n",
        "data: 7\n\n",
        "data: null\n\n",
        'data: {"error": "no"}\n\n',
        'data: {"error": {"message": "no", "code": 503}}\n\n',
        'data: {"choices": [7]}\n\n',
        'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        "data: {}\n\n",
        "<html></html>",
        'data: {"choices":\ndata: [{"delta": {"content": "4"}, "finish_reason": "stop"}]}\n\n',
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 402, 429])
def test_what_is_no_reply_fails_alike(body, status):
    _, (short, long) = both(VLLM, "any", Request.of("What?"), Raw(body, status))
    assert short == long if isinstance(long, tuple) else short[-1] == long[-1]


def test_what_takes_more_than_text_goes_the_long_way():
    plain = Request.of("What?")
    tool = ToolSpec.of("look", "Looks.", {"type": "object", "properties": {}})
    called = Message("assistant", (ToolCall("1", "look"),))
    signed = Message("assistant", (Thinking("hm", '{"origin": "there"}'), Text("4")))
    more = [
        replace(plain, tools=(tool,)),
        replace(plain, schema='{"type": "object"}'),
        replace(plain, effort="low"),
        Request.of("What?", images=[Image.from_bytes(DOT)]),
        *(
            Request(messages=(*plain.messages, *then, *plain.messages))
            for then in (
                [called, Message("tool", (ToolResult("1", (Text("4"),)),))],
                [signed],
                [Message("system", (Text("Be brief."),))],
            )
        ),
    ]
    assert build_body("m", plain, {}) is not None and all(
        build_body("m", request, {}) is None for request in more
    )
    assert build_body("m", plain, {"openai_supports_reasoning": True}) is None
    unsigned = Message("assistant", (Thinking("hm"), Text("4")))
    assert (
        build_body("m", Request(messages=(*plain.messages, unsigned, *plain.messages)), {})[
            "messages"
        ][1]["content"]
        == "4"
    )


def test_a_multibyte_letter_may_be_cut_anywhere():
    async def ask(cut):
        text = (
            "data: "
            + json.dumps(chunk({"content": "\u00e9\U0001f600"}), ensure_ascii=False)
            + "\n\n"
        )
        raw = (text + f"data: {json.dumps(chunk({}, 'stop'))}\n\n").encode()

        async def handle(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + raw[:cut])
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(raw[cut:])
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=address))
            deltas = [delta async for delta in model.stream(Request.of("What?"))]
        return deltas[-1].message.text

    start = len("data: ") + json.dumps(chunk({"content": "?"})).index("?")
    assert {asyncio.run(ask(start + cut)) for cut in range(8)} == {"\u00e9\U0001f600"}


def test_half_a_character_is_taken():
    body = (
        'data: {"choices": [{"delta": {"content": "half: \\ud83d"}, "finish_reason": "stop"}]}\n\n'
    )
    _, (short, long) = both(VLLM, "any", Request.of("What?"), Raw(body))
    assert short == long and short[-1].message.text == "half: \ud83d"


def test_its_usage_is_the_servers():
    async def ask():
        async with serving("chat", Say("4", prompt=1000, written=100)) as server:
            model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=server.url))
            return [delta async for delta in model.stream(Request.of("What?"))]

    usage = [delta for delta in asyncio.run(ask()) if isinstance(delta, UsageDelta)][-1].usage
    assert (usage.tokens, usage.prompt_tokens, usage.calls) == (1100, 1000, 1)


FOUR = 'data: {"choices": [{"delta": {"content": "4"}, "finish_reason": "stop"}]}\n\n'


@pytest.mark.parametrize(
    "after",
    [[], [b"data: " + json.dumps(chunk({"content": " no"})).encode() + b"\n\n"], [b"\r\nzz\r\n"]],
)
@pytest.mark.parametrize("head", ["connection: close", "transfer-encoding: chunked"])
def test_what_follows_the_end_of_a_reply_is_no_part_of_it(after, head):
    async def ask():
        ended = asyncio.Event()

        async def handle(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
            for piece in [(FOUR + "data: [DONE]\n\n").encode(), *after]:
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if "chunked" in head else piece)
                await writer.drain()
                await asyncio.sleep(0.02)
            await ended.wait()  # it keeps the connection open
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=address, timeout=5.0))
            deltas = [delta async for delta in model.stream(Request.of("What?"))]
            ended.set()
        return deltas[-1].message.text

    assert asyncio.run(ask()) == "4"


@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n"])
def test_lines_end_as_the_standard_has_it(ends):
    body = (FOUR + "data: [DONE]\n\n").replace("\n", ends)
    _, (short, long) = both(VLLM, "any", Request.of("What?"), Raw(body))
    assert short == long and short[-1].message.text == "4"


async def test_an_event_without_end_is_not_waited_for():
    taken = []

    async def received():
        for number in range(400):
            taken.append(b"data: " if number == 0 else b"x" * 65_536)
            yield taken[-1]

    with pytest.raises(ValueError, match="more than 4,000,000 bytes"):
        async for _ in ChatStream(received(), "m", "here", "openai", {}):
            pass
    assert sum(map(len, taken)) <= MAX_EVENT_BYTES + 65_536


def test_a_count_below_zero_is_none():
    async def ask():
        told = 'data: {"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": -7}}\n\n'
        async with serving("chat", Raw(FOUR + told)) as server:
            model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=server.url))
            return [
                delta.usage.tokens
                async for delta in model.stream(Request.of("What?"))
                if isinstance(delta, UsageDelta)
            ]

    assert min(asyncio.run(ask())) >= 0


async def test_who_leaves_in_the_middle_leaves_no_task_behind():
    over = asyncio.Event()
    piece = f"data: {json.dumps(chunk({'content': 'a'}))}\n\n".encode()

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + 3 * piece)
        await over.wait()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with aclosing(
            RemoteModel(VLLM(), "any", RemoteOptions(base_url=address)).stream(Request.of("What?"))
        ) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    break
        left = [task for task in asyncio.all_tasks() if "handle" not in repr(task.get_coro())]
        over.set()
        assert left == [asyncio.current_task()]
