"""A conversation moves from every provider to every other, and what is sent is looked at byte by byte."""

import json
from base64 import b64encode
from dataclasses import replace

import pytest
from models.providers.kinds import KINDS, Kind
from models.providers.servers import Say, serving

from musespark.content import Image, Message, Request, Text, ToolCall, ToolResult, ToolSpec
from musespark.models.fake import DOT
from musespark.models.model import Finish

LOOK = ToolSpec.of(
    "look_closer",
    "Looks closer.",
    {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]},
)
LONG = "call:" + "Zx9|" * 20
"""Longer than any provider takes, and with characters that some refuse."""
THOUGHT = "the thought that nobody else may read"
SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS1maXJzdA=="
REPLY = Say("Let me see.", THOUGHT, SIGNATURE, ((LONG, "look_closer", '{"at": "the door"}'),))


async def reply_of(kind: Kind) -> Message:
    async with serving(kind.wire, REPLY) as server:
        deltas = [
            delta
            async for delta in kind.at(server.url).stream(Request.of("What is it?", tools=(LOOK,)))
        ]
    message = deltas[-1].message
    assert isinstance(deltas[-1], Finish) and message is not None
    return message


async def sent_on(kind: Kind, server, reply: Message, result: ToolResult):
    asked = (
        Message.user("What is it?"),
        reply,
        Message("tool", (result,)),
        Message.user("Say it again?"),
    )
    async for _ in kind.at(server.url).stream(Request(messages=asked, tools=(LOOK,))):
        pass
    return server.bodies[-1]


def ids(value, fields=("id", "call_id", "tool_call_id", "tool_use_id")):
    """Every id of a call or a result in a body."""
    if isinstance(value, dict):
        yield from (value[field] for field in fields if isinstance(value.get(field), str))
        for inner in value.values():
            yield from ids(inner, fields)
    elif isinstance(value, list):
        for inner in value:
            yield from ids(inner, fields)


@pytest.mark.parametrize("first", KINDS, ids=str)
async def test_nothing_of_one_provider_reaches_another(first):
    reply = await reply_of(first)
    assert {type(part).__name__ for part in reply.parts} == {"Thinking", "Text", "ToolCall"}
    assert all(part.made_by.startswith(f"{first}:{first.model}") for part in reply.parts)
    call = next(part for part in reply.parts if isinstance(part, ToolCall))
    assert (call.id, call.parsed()) == (LONG, {"at": "the door"})
    for second in KINDS:
        async with serving(second.wire) as server:
            # The same kind at another address is another, too.
            body = await sent_on(second, server, reply, ToolResult(LONG, (Text("a red door"),)))
            raw = server.raw[-1].decode()
        assert all(
            said in raw
            for said in ("look_closer", "the door", "a red door", "Let me see.", "Say it again?")
        ), second
        assert not any(secret in raw for secret in (THOUGHT, SIGNATURE, "origin", "Zx9")), second
        seen = [id for id in ids(body) if not id.startswith(("fc_", "rs_", "msg_"))]
        assert len(seen) == 2 and len(set(seen)) == 1, (second, seen)
        assert seen[0].replace("_", "").isalnum() and len(seen[0]) == (
            9 if str(second) == "mistral" else 37
        ), second


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_a_provider_gets_back_what_it_made(kind):
    own = "call:" + "Zx9-" * 20
    async with serving(kind.wire, replace(REPLY, calls=((own, "look_closer", "{}"),))) as server:
        model = kind.at(server.url)
        deltas = [delta async for delta in model.stream(Request.of("What is it?", tools=(LOOK,)))]
        body = await sent_on(
            kind, server, deltas[-1].message, ToolResult(own, (Text("a red door"),))
        )
        raw = server.raw[-1].decode()
    assert (SIGNATURE in raw) == kind.signs
    assert THOUGHT in raw
    assert "origin" not in raw
    assert ids_of(body) == {own}


def ids_of(body):
    return {id for id in ids(body) if not id.startswith(("fc_", "rs_", "msg_"))}


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_the_same_id_is_replaced_by_the_same_in_every_turn(kind):
    call = ToolCall(
        LONG, "look_closer", '{"at": "x"}', "other:model", json.dumps({"origin": "elsewhere"})
    )
    other = ToolCall(LONG + "!", "look_closer", '{"at": "y"}', "other:model")
    async with serving(kind.wire) as server:
        first = await sent_on(
            kind, server, Message("assistant", (call,)), ToolResult(LONG, (Text("1"),))
        )
        again = await sent_on(
            kind, server, Message("assistant", (call,)), ToolResult(LONG, (Text("2"),))
        )
        third = await sent_on(
            kind, server, Message("assistant", (other,)), ToolResult(LONG + "!", (Text("2"),))
        )
    assert (
        ids_of(first) == ids_of(again)
        and len(ids_of(first)) == 1
        and ids_of(third).isdisjoint(ids_of(first))
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.model != "any"], ids=str)
async def test_images_that_tools_give_back_arrive(kind):
    dot = Image.from_bytes(DOT)
    call = ToolCall.of("call_1", "look_closer", {"at": "x"})
    async with serving(kind.wire) as server:
        await sent_on(
            kind,
            server,
            Message("assistant", (call,)),
            ToolResult("call_1", (Text("this is it"), dot)),
        )
        raw = (
            server.raw[-1].decode().replace("-", "+").replace("_", "/")
        )  # Google writes the other alphabet
    assert b64encode(DOT).decode() in raw and "this is it" in raw


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_arguments_that_are_no_json_are_sent_all_the_same(kind):
    call = ToolCall("call_1", "look_closer", '{"at": "the do')
    async with serving(kind.wire) as server:
        await sent_on(
            kind,
            server,
            Message("assistant", (call,)),
            ToolResult("call_1", (Text("no JSON"),), failed=True),
        )
        assert "the do" in server.raw[-1].decode()
