"""The stand-in for a model's server does what the measurements rest on: its time, its faults, and a log that tells who left."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from backend import Backend, Script
from prompts import Prompt

QUESTION = {"model": "fake", "messages": [{"role": "user", "content": "What is six times seven?"}]}


async def send(backend, method="POST", path="/v1/chat/completions", **fields):
    """Send a request, and return the open connection."""
    body = json.dumps({**QUESTION, **fields} if path.endswith("completions") else fields).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", backend.port)
    writer.write(
        f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return reader, writer


async def ask(backend, method="POST", path="/v1/chat/completions", **fields):
    """Send a request; its status, headers and body, as far as it came."""
    reader, writer = await send(backend, method, path, **fields)
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if "chunked" in head:
            body = b""
            while size := int(await reader.readline() or b"0", 16):
                body += await reader.readexactly(size)
                await reader.readline()
            return int(head.split()[1]), head, body
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        return int(head.split()[1]), head, await reader.read(length)
    finally:
        writer.close()


def said(body):
    return json.loads(body)["choices"][0]["message"]["content"]


def events(body):
    """The chunks of a stream, and whether it came to its end."""
    lines = [line.removeprefix("data: ") for line in body.decode().split("\n\n") if line]
    return [json.loads(line) for line in lines if line != "[DONE]"], "[DONE]" in lines


async def test_every_call_takes_its_latency_however_many_there_are():
    async with Backend(Script(latency=0.2, answers="disagree")) as backend:
        replies = await asyncio.gather(*(ask(backend) for _ in range(8)))
        log = backend.log()
    assert len({said(body) for _, _, body in replies}) == 8
    assert log["in_flight_most"] == 8
    assert all(call["ended"] - call["arrived"] >= 0.2 for call in log["calls"])
    assert max(call["ended"] for call in log["calls"]) < 8 * 0.2, (
        "they would have been answered one after the other"
    )
    assert (
        log["tokens"]
        == sum(json.loads(body)["usage"]["completion_tokens"] for _, _, body in replies)
        > 0
    )


async def test_a_stream_says_the_same_token_by_token():
    async with Backend(Script(latency=0.1)) as backend:
        _, _, whole = await ask(backend)
        _, _, body = await ask(backend, stream=True, stream_options={"include_usage": True})
        call = backend.log()["calls"][1]
    chunks, ended = events(body)
    pieces = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
    assert ended and "".join(pieces) == said(whole)
    assert (
        chunks[-1]["usage"] == json.loads(whole)["usage"]
        and chunks[-1]["usage"]["completion_tokens"] == call["tokens"]
    )
    assert call["first_byte"] < call["ended"]


async def test_a_client_that_leaves_is_noticed_at_once():
    async with Backend(Script(latency=30.0)) as backend:
        _, stays = await send(backend)
        _, leaves = await send(backend, stream=True)
        while backend.in_flight < 2:
            await asyncio.sleep(0.01)
        leaves.close()
        async with asyncio.timeout(5):
            while backend.in_flight == 2:
                await asyncio.sleep(0.01)
        log = backend.log()
        stays.close()
    assert (
        sorted(call["outcome"] for call in log["calls"]) == ["left", "open"] and log["tokens"] == 0
    )


async def test_faults_strike_the_calls_they_are_meant_for():
    faults = {0: "400", 1: "429", 2: "html", 3: "garbage", 4: "cut", 5: "hang"}
    async with Backend(Script(latency=0.05, faults=faults, retry_after=3, hang=0.3)) as backend:
        replies = [await ask(backend) for _ in range(7)]
        outcomes = [call["outcome"] for call in backend.log()["calls"]]
        waited = backend.log()["calls"][5]
    assert [status for status, _, _ in replies] == [400, 429, 200, 200, 200, 200, 200]
    assert "retry-after: 3\r\n" in replies[1][1] and "text/html" in replies[2][1]
    for _, _, body in replies[2:5]:
        with pytest.raises(ValueError):
            json.loads(body)
    assert waited["ended"] - waited["arrived"] >= 0.35
    assert outcomes == ["400", "429", "html", "garbage", "cut", "answered", "answered"]


async def test_a_cut_stream_breaks_off_after_some_tokens():
    async with Backend(Script(latency=0.05, faults={0: "cut"})) as backend:
        _, _, body = await ask(backend, stream=True)
    chunks, ended = events(body)
    assert len(chunks) > 1 and not ended


@pytest.mark.parametrize(
    ("many", "status", "choices"), [("honour", 200, 3), ("ignore", 200, 1), ("refuse", 400, 0)]
)
async def test_several_choices_in_one_call(many, status, choices):
    async with Backend(Script(latency=0.05, many=many, answers="disagree")) as backend:
        got, _, body = await ask(backend, n=3)
        tokens = backend.log()["tokens"]
    texts = [choice["message"]["content"] for choice in json.loads(body).get("choices", [])]
    assert got == status and len(set(texts)) == choices
    assert tokens == sum(len(text.split()) for text in texts)


async def test_the_log_and_the_script_over_http():
    async with Backend(Script(latency=0.05)) as backend:
        await ask(backend)
        _, _, log = await ask(backend, "GET", "/log")
        status, _, _ = await ask(
            backend, path="/reset", latency=0.01, answers="disagree", faults={"0": "500"}
        )
        refused, _, why = await ask(backend, path="/reset", faults={"0": "sulk"})
        struck, _, _ = await ask(backend)
    assert [call["outcome"] for call in json.loads(log)["calls"]] == ["answered"]
    assert (status, refused, struck) == (200, 400, 500) and b"sulk" in why


def reply(text, answers="disagree", number=0, **fields):
    return Prompt.read({"messages": [{"role": "user", "content": text}], **fields}).reply(
        answers, number
    )


@pytest.mark.parametrize(
    "shown",
    [
        '<answer id="{}">\n{}\n</answer>\n<answer id="{}">\n{}\n</answer>\nWhich answer is right? {{"reason": "", "better": "A"}}',
        "Pick the best of these. Reply with the label only.\nCandidate {}:\n{}\n\nCandidate {}:\n{}",
        "Which response is better? End with [[A]] or [[B]].\n[{}] {}\n[{}] {}",
    ],
)
def test_a_judge_favours_a_text_and_not_a_place(shown):
    first, swapped = (
        reply(shown.format("A", "left", "B", "right")),
        reply(shown.format("A", "right", "B", "left")),
    )
    assert first.replace("A", "B") == swapped and "A" in first


def test_what_else_prompts_ask_for():
    assert (
        reply("Score the answer on a scale of 0-10. Return only a JSON object.") == '{"score": 7}'
    )
    assert reply("Evaluate it on a scale from 0 to 1. Respond with only a number.") == "0.7"
    rivals = "<answer>\n1\n</answer>\n<answer>\n2\n</answer>\n"
    assert reply(rivals + "Write the one best answer.", number=5).endswith("Answer: 42")
    assert reply(rivals + "Answer again.", "settle", 5).endswith("Answer: 42")
    assert reply("What is it?", "settle", 5).endswith("Answer: 48")
    assert reply("[[reply: blue]]") == "blue"
    schema = {
        "type": "object",
        "properties": {"better": {"enum": ["A", "B"]}, "sure": {"type": "boolean"}},
    }
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(reply("Which is better?\nA) two\nB) one", response_format=asked)) == {
        "better": "B",
        "sure": True,
    }
