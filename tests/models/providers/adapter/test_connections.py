"""Connections of the fast path: reused if they can be, closed if they must be, and bounded."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest
from hypothesis import given, settings, strategies as st

from musespark.content import Request
from musespark.errors import ModelFailed
from musespark.models.model import Finish, TextDelta
from musespark.models.providers.adapter.chat_fastpath import is_plain_http
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import VLLM

BODY = b'data: {"choices": [{"delta": {"content": "hello"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
SIZED = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
    len(BODY),
    BODY,
)


@asynccontextmanager
async def answering(*replies, pause=0.0, seconds=0.5):
    """A server that sends these, one for each request, piece by piece, then closes; the model, its connections and the heads."""
    connections, heads, left = [], [], list(replies)

    async def handle(reader, writer):
        connections.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                heads.append(head.lower())
                await reader.readexactly(
                    int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                )
                for piece in left.pop(0):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
        except (asyncio.IncompleteReadError, ConnectionError, IndexError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=url, timeout=seconds))
        async with model.open():
            yield model, connections, heads
        for writer in connections:
            writer.close()


async def text_of(model):
    deltas = [delta async for delta in model.stream(Request.of("What?"))]
    assert isinstance(deltas[-1], Finish)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


@settings(max_examples=6, deadline=None)
@given(
    raw=st.sampled_from([SIZED, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + SIZED]),
    cuts=st.sets(st.integers(1, 120), max_size=4),
)
def test_a_reply_may_arrive_in_any_pieces_and_the_next_uses_the_same_connection(raw, cuts):
    async def ask():
        ends = [*sorted(cuts), len(raw)]
        pieces = [raw[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        async with answering(pieces, pieces) as (model, connections, _):
            assert await text_of(model) == await text_of(model) == "hello"
            assert len(connections) == 1

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [([], "closed the connection"), ([b"SSH-2.0\r\n\r\n"], "no valid answer|cannot be reached")],
)
async def test_what_is_no_reply_is_a_failure(pieces, expected):
    async with answering(pieces) as (model, connections, _):
        asking = asyncio.create_task(text_of(model))
        while not connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        connections[0].close()
        with pytest.raises(ModelFailed, match=expected):
            await asking


async def test_silence_ends_it():
    async with answering([SIZED[:30]]) as (model, _, _):
        with pytest.raises(ModelFailed, match="did not answer in time"):
            await text_of(model)


async def test_a_server_that_is_not_there_cannot_be_reached():
    async with answering() as (model, _, _):
        pass
    with pytest.raises(ModelFailed, match="cannot be reached"):
        await text_of(model)


async def test_a_connection_that_the_server_closed_is_not_used_again():
    async with answering([SIZED], [SIZED]) as (model, connections, _):
        assert await text_of(model) == "hello"
        connections[0].close()
        await asyncio.sleep(0.05)
        assert await text_of(model) == "hello" and len(connections) == 2


async def test_a_request_that_meets_a_server_closing_an_idle_connection_is_sent_again():
    connections = []

    async def handle(reader, writer):
        connections.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(
            int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        )
        writer.write(SIZED)
        if len(connections) == 1:
            await reader.readuntil(b"\r\n\r\n")  # the next request was on its way
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=url, timeout=5.0))
        async with model.open():
            assert await text_of(model) == await text_of(model) == "hello" and len(connections) == 2


async def test_a_slow_reader_holds_the_server_back():
    event = b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % (b"x" * 64_000)
    sent = 0

    async def handle(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(1000):
                writer.write(event)
                await writer.drain()
                sent += len(event)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=url, timeout=5.0))
        async with aclosing(model.stream(Request.of("What?"))) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    break
            await asyncio.sleep(0.2)
            held = sent  # the kernel's buffers hold some of it
            await asyncio.sleep(0.2)
            assert sent == held < 64_000_000


@pytest.mark.parametrize("together", [True, False])
async def test_a_second_reply_that_nobody_requested_is_dropped(together):
    more = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 3\r\n\r\nbad"
    async with answering([SIZED + more] if together else [SIZED, more], [SIZED], pause=0.01) as (
        model,
        connections,
        _,
    ):
        assert await text_of(model) == "hello"
        await asyncio.sleep(0.05)
        assert await text_of(model) == "hello" and len(connections) == 2


async def test_nothing_is_compressed():
    async with answering([SIZED]) as (model, _, heads):
        await text_of(model)
    assert heads[0].count(b"accept-encoding: identity") == heads[0].count(b"accept-encoding") == 1


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://models.house/v1", True),
        ("http://127.0.0.1/v\u00e91", False),
        ("http://127.0.0.1/v 1", False),
        ("https://127.0.0.1:8000/v1", False),
        ("http://me:secret@127.0.0.1/v1", False),
        ("http://", False),
    ],
)
def test_plain_http_is_without_tls_proxy_and_credentials(address, plain, monkeypatch):
    assert is_plain_http(address) is plain
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:3128")
    assert is_plain_http(address) is (plain and "house" not in address)
