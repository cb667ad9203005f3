"""Connections to a server nearby: kept where they may be, closed where they must, and bounded."""

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from musespark.models.providers.adapter.local_http import AHEAD, Broken, Near, is_near


@asynccontextmanager
async def answering(*replies, pause=0.0):
    """A server that sends these, one for each request, piece by piece, then leaves; and its connections."""
    connections = []
    left = list(replies)

    async def handle(reader, writer):
        connections.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
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
        near = Near(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", 0.5)
        yield near, connections
        await near.aclose()
        for writer in connections:
            writer.close()


async def asked(near):
    async with near.post("/x", b"{}", {"a": "b"}) as answer:
        return answer.status, await answer.read()


LONG = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@settings(max_examples=30, deadline=None)
@given(raw=st.sampled_from([LONG, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + LONG]), cuts=st.lists(st.integers(1, 80), max_size=4))
def test_a_reply_may_come_in_any_pieces_and_the_next_uses_the_same_connection(raw, cuts):
    async def ask():
        at = sorted({0, *(cut for cut in cuts if cut < len(raw)), len(raw)})
        pieces = [raw[start:end] for start, end in pairwise(at)]
        async with answering(pieces, pieces) as (near, connections):
            assert await asked(near) == (200, b"hello")
            assert await asked(near) == (200, b"hello")
            assert len(connections) == 1

    asyncio.run(ask())


async def test_the_end_of_a_connection_may_be_the_end_of_a_reply_that_does_not_say_how_long_it_is():
    async with answering([b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhel", b"lo"]) as (near, connections):
        asking = asyncio.create_task(asked(near))
        while not connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        connections[0].close()
        assert await asking == (200, b"hello")


@pytest.mark.parametrize(("pieces", "said"), [([], "closed"), ([LONG[:-2]], "closed"), ([b"SSH-2.0\r\n"], "speak HTTP")])
async def test_what_is_no_reply_is_a_broken_connection(pieces, said):
    async with answering(pieces) as (near, connections):
        asking = asyncio.create_task(asked(near))
        while not connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        connections[0].close()
        with pytest.raises(Broken, match=said):
            await asking


async def test_silence_ends_it_and_nobody_there_is_told():
    async with answering([LONG[:-2]]) as (near, _):
        with pytest.raises(TimeoutError):
            await asked(near)
    with pytest.raises(Broken):
        await asked(near)


async def test_a_connection_that_the_server_closed_is_not_used_again():
    async with answering([LONG], [LONG]) as (near, connections):
        assert await asked(near) == (200, b"hello")
        connections[0].close()
        await asyncio.sleep(0.05)
        assert await asked(near) == (200, b"hello") and len(connections) == 2


async def test_a_slow_reader_holds_the_server_back():
    body = b"x" * 64_000
    sent = 0

    async def handle(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1000):
            writer.write(body)
            await writer.drain()
            sent += len(body)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        near = Near(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 5.0)
        async with near.post("/", b"", {}) as answer:
            first = await anext(aiter(answer.pieces))
            await asyncio.sleep(0.2)
            held = sent  # what the kernel's buffers take is no matter of ours
            await asyncio.sleep(0.2)
            assert first and sent == held < 64_000_000
            rest = [len(piece) async for piece in answer.pieces]
        assert len(first) + sum(rest) == 64_000_000 and max(rest) <= AHEAD + 2 * 262_144


@pytest.mark.parametrize(("address", "near"), [
    ("http://127.0.0.1:8000/v1", True), ("http://[::1]:8000/v1", True), ("http://models.house/v1", True),
    ("http://127.0.0.1/v\u00e91", False), ("http://127.0.0.1/v 1", False),
    ("https://127.0.0.1:8000/v1", False), ("http://me:secret@127.0.0.1/v1", False), ("http://", False)])
def test_what_is_near(address, near, monkeypatch):
    assert is_near(address) is near
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:3128")
    assert is_near(address) is (near and "house" not in address)


async def test_who_meets_a_server_that_is_just_closing_an_idle_connection_asks_again():
    seen = []

    async def handle(reader, writer):
        seen.append(writer)
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(LONG)
        if len(seen) == 1:
            await reader.readuntil(b"\r\n\r\n{}")  # the next request was on its way
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        near = Near(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 5.0)
        assert await asked(near) == await asked(near) == (200, b"hello") and len(seen) == 2
        await near.aclose()


@pytest.mark.parametrize("together", [True, False])
async def test_a_second_reply_that_nobody_asked_for_is_nobodys(together):
    more = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 3\r\n\r\nbad"
    async with answering([LONG + more] if together else [LONG, more], [LONG], pause=0.01) as (near, connections):
        assert await asked(near) == (200, b"hello")
        await asyncio.sleep(0.05)
        assert await asked(near) == (200, b"hello") and len(connections) == 2


async def test_nothing_is_compressed_and_no_other_protocol_is_spoken():
    heads = []

    async def handle(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n")
        writer.close()

    crashes = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: crashes.append(context))
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        near = Near(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 5.0)
        with pytest.raises(Broken, match="speak HTTP"):
            await asked(near)
    assert b"accept-encoding: identity" in heads[0].lower() and not crashes
