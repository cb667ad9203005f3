"""Thoughts that a provider has signed: they go to the client with the calls of its tools, and back to that provider alone."""

import base64
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import anthropic
import httpx
import openai
import pytest
from models.providers.servers import Say, serving
from server.conftest import live

from musespark.config import Config, ModelConfig
from musespark.content import Text, Thinking, ToolCall, signed_again
from musespark.server.protocols.signatures import pack_signatures, unpack_signatures

ASK = {"role": "user", "content": "How is the weather in Paris?"}
TOOL = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
FUNCTION = {"type": "function", "name": "weather", "parameters": TOOL["input_schema"]}
CALLS = Say(
    "I look.",
    thinking="They ask for Paris.",
    signature="sig-of-claude",
    calls=(("toolu_1", "weather", '{"city": "Paris"}'),),
)
DONE = Say("It rains.")


@asynccontextmanager
async def behind(
    monkeypatch, *script, wire="anthropic", kind="anthropic:claude-sonnet-4-6", others=()
):
    """A server over a hosted model that plays a script, and that provider."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-quite-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-quite-secret")
    async with serving(wire, *script) as provider:
        named = {"there": ModelConfig(model=kind, base_url=provider.url)}
        named |= {name: ModelConfig(model=other, base_url=url) for name, other, url in others}
        with live(models={}, config=Config(models=named)) as server:
            yield provider, server


def asked(server):
    """Anthropic's own client of the server."""
    return anthropic.AsyncAnthropic(base_url=server.url, api_key="none", max_retries=0)


async def first(client, model="there", stream=False):
    """The message with the call."""
    options = {
        "model": model,
        "max_tokens": 4000,
        "messages": [ASK],
        "tools": [TOOL],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    }
    if not stream:
        return await client.messages.create(**options)
    async with client.messages.stream(**options) as events:
        return await events.get_final_message()


def followed(message, result="rain"):
    """The conversation as a client goes on with it."""
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": result}
        for block in message.content
        if block.type == "tool_use"
    ]
    return [
        ASK,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": results},
    ]


def said(body):
    """The blocks that the provider was told the assistant had said, with their kinds."""
    blocks = [
        block
        for turn in body["messages"]
        if turn["role"] == "assistant"
        for block in turn["content"]
    ]
    return [
        (
            block["type"],
            block.get("thinking") or block.get("text") or block.get("input"),
            block.get("signature"),
        )
        for block in blocks
    ]


SIGNED = [
    ("thinking", "They ask for Paris.", "sig-of-claude"),
    ("text", "I look.", None),
    ("tool_use", {"city": "Paris"}, None),
]


@pytest.mark.parametrize("stream", [False, True])
async def test_messages_takes_them_to_the_client_and_back(monkeypatch, stream):
    async with behind(monkeypatch, CALLS, DONE) as (provider, server), asked(server) as client:
        message = await first(client, stream=stream)
        assert [block.type for block in message.content] == [
            "thinking",
            "text",
            "thinking",
            "tool_use",
        ]
        assert (
            message.content[0].thinking == "They ask for Paris."
            and not message.content[0].signature
        )
        assert message.content[2].thinking == "" and message.content[2].signature
        done = await client.messages.create(
            model="there",
            max_tokens=4000,
            messages=followed(message),
            tools=[TOOL],
            thinking={"type": "enabled", "budget_tokens": 2000},
        )
    assert done.content[-1].text == "It rains."
    assert said(provider.bodies[1]) == SIGNED


async def test_a_teams_winner_gets_its_own_back(monkeypatch):
    script = [
        replace(CALLS, signature=f"sig-{number}", thinking=f"Thought {number}.")
        for number in range(2)
    ]
    async with behind(monkeypatch, *script, DONE) as (provider, server), asked(server) as client:
        message = await first(client, "contemplating/there")
        assert [block.type for block in message.content] == [
            "thinking",
            "text",
            "thinking",
            "tool_use",
        ]
        winner = message.muse["decided"]["winners"]
        await client.messages.create(
            model="there", max_tokens=4000, messages=followed(message), tools=[TOOL]
        )
    assert len(provider.bodies) == 3 and len(winner) == 2
    (kind, thought, signature), *others = said(provider.bodies[2])
    assert (
        others == SIGNED[1:]
        and (kind, thought) == ("thinking", f"Thought {signature[-1]}.")
        and signature in ("sig-0", "sig-1")
    )


@pytest.mark.parametrize(
    ("kind", "wire"),
    [("openai-responses:gpt-5", "responses"), ("google:gemini-3-pro-preview", "google")],
)
async def test_what_other_providers_sign_comes_back_to_them(monkeypatch, kind, wire):
    monkeypatch.setenv("GOOGLE_API_KEY", "sk-quite-secret")
    signature = base64.b64encode(b"signed by them").decode()
    there = behind(monkeypatch, replace(CALLS, signature=signature), DONE, wire=wire, kind=kind)
    async with there as (provider, server), asked(server) as client:
        message = await client.messages.create(
            model="there", max_tokens=4000, messages=[ASK], tools=[TOOL]
        )
        done = await client.messages.create(
            model="there", max_tokens=4000, messages=followed(message), tools=[TOOL]
        )
    sent = provider.raw[1].decode()
    assert done.content[-1].text == "It rains." and signature in sent and "muse1." not in sent


async def test_another_provider_never_sees_them(monkeypatch):
    async with serving("chat", DONE) as other:
        others = [("elsewhere", "openai:gpt-4.1", other.url)]
        async with (
            behind(monkeypatch, CALLS, others=others) as (_, server),
            asked(server) as client,
        ):
            message = await first(client)
            done = await client.messages.create(
                model="elsewhere", max_tokens=100, messages=followed(message), tools=[TOOL]
            )
        assert done.content[-1].text == "It rains."
        sent = other.raw[-1].decode()
    assert (
        "sig-of-claude" not in sent and "They ask for Paris." not in sent and "muse1." not in sent
    )


async def test_the_same_kind_of_provider_at_another_address_is_another(monkeypatch):
    async with serving("anthropic", DONE) as other:
        others = [("elsewhere", "anthropic:claude-sonnet-4-6", other.url)]
        async with (
            behind(monkeypatch, CALLS, others=others) as (_, server),
            asked(server) as client,
        ):
            message = await first(client)
            await client.messages.create(
                model="elsewhere", max_tokens=100, messages=followed(message), tools=[TOOL]
            )
        assert said(other.bodies[0]) == SIGNED[1:]


@pytest.mark.parametrize("way", ["by id", "repeated"])
async def test_responses_takes_them_too(monkeypatch, way):
    include = ["reasoning.encrypted_content"] if way == "repeated" else []
    async with (
        behind(monkeypatch, CALLS, DONE) as (provider, server),
        openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        done = await client.responses.create(
            model="there", input=[ASK], tools=[FUNCTION], include=include
        )
        called = next(item for item in done.output if item.type == "function_call")
        result = {"type": "function_call_output", "call_id": called.call_id, "output": "rain"}
        assert any(getattr(item, "encrypted_content", None) for item in done.output) == (
            way == "repeated"
        )
        if way == "by id":
            done = await client.responses.create(
                model="there", previous_response_id=done.id, input=[result], tools=[FUNCTION]
            )
        else:
            repeated = [ASK, *(item.model_dump(exclude_none=True) for item in done.output), result]
            done = await client.responses.create(model="there", input=repeated, tools=[FUNCTION])
    assert done.output_text == "It rains." and said(provider.bodies[1]) == SIGNED


async def test_whoever_looks_at_the_run_sees_none_of_it(monkeypatch):
    async with (
        behind(monkeypatch, CALLS) as (_, server),
        asked(server) as client,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        await first(client)
        [run] = (await http.get("/v1/runs")).json()["data"]
        whole, *others = [
            await http.get(f"/v1/runs/{run['id']}{page}") for page in ("", "/events", "/export")
        ]
    last = whole.json()["events"][-1]
    assert (last["kind"], last["calls"][0]["name"]) == (
        "run_ended",
        "weather",
    ) and "signed" not in last
    assert [response.status_code for response in (whole, *others)] == [200] * 3
    assert not any("sig-of-claude" in response.text for response in (whole, *others))


@pytest.mark.parametrize(
    "seal",
    [
        "",
        "EqQBCgIYAhIM1gbcDa9GJwZA2b3h",
        "muse1.",
        "muse1.####",
        "muse1.bnVsbA==",
        "muse1.WzFd",
        "muse1." + "W1tb" * 5000,
        "muse1.W1sidGhpbmtpbmciLG51bGwsIngiXV0=",
        "muse1.W1sidGhpbmtpbmciLDUsIngiLCJ5Il1d",
        "muse1.W1siY2FsbCIsbnVsbCwie30iLDUsNV1d",
    ],
)
async def test_what_is_none_of_ours_is_left_out(served, seal):
    assert unpack_signatures(seal) == ()
    turns = [
        ASK,
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "?", "signature": seal},
                {"type": "text", "text": "Hm."},
            ],
        },
        ASK,
    ]
    async with asked(served) as client:
        await client.messages.create(model="plain", max_tokens=9, messages=turns)
    assert served.models["plain"].requests[-1].messages[1].parts == (Text("Hm."),)


@pytest.mark.parametrize(
    "kept",
    [
        5,
        [],
        {"id": 5},
        {"provider_details": "x"},
        {"provider_name": {}},
        {"signature": 1.5},
        {"signature": None},
    ],
)
async def test_a_seal_that_was_tampered_with_breaks_nothing(monkeypatch, kept):
    async with behind(monkeypatch, DONE) as (provider, server), asked(server) as client:
        sound = {
            "origin": f"anthropic@{provider.url}",
            "provider_name": "anthropic",
            "signature": "s",
        }
        signature = json.dumps({**sound, **kept} if isinstance(kept, dict) else kept)
        seal = pack_signatures([Thinking("Mine.", signature, "x")])
        turns = [
            ASK,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "", "signature": seal},
                    {"type": "text", "text": "Hm."},
                ],
            },
            ASK,
        ]
        done = await client.messages.create(model="there", max_tokens=9, messages=turns)
    assert done.content[-1].text == "It rains."
    assert said(provider.bodies[0]) == [("text", "Hm.", None)]


def test_a_seal_holds_what_is_signed_and_nothing_else():
    parts = (
        Thinking("a", "s1", "m"),
        Thinking("b"),
        Text("c", "m", "s2"),
        Text("d"),
        ToolCall("1", "t", "{}", "m", "s3"),
        ToolCall("2", "t"),
    )
    back = unpack_signatures(pack_signatures(parts))
    assert (
        back == (parts[0], parts[2], ToolCall("1", "t", "{}", "m", "s3"))
        and pack_signatures([parts[1]]) is None
    )
    repeated = (
        Text("c"),
        Text("e"),
        ToolCall("1", "t", '{"a": 1}'),
        ToolCall("1", "other"),
        ToolCall("2", "t"),
    )
    assert signed_again(repeated, back) == (
        parts[0],
        parts[2],
        Text("e"),
        ToolCall("1", "t", '{"a": 1}', "m", "s3"),
        ToolCall("1", "other"),
        ToolCall("2", "t"),
    )
