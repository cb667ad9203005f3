"""The one event stream: opened by its first write, alive through silence, over when either side is."""

import asyncio

import pytest

from musespark.server.http.event_stream import EventStream, StreamTiming, serve_until_disconnect


class Client:
    """A client that keeps what it gets; it may stop reading, and it may leave."""

    def __init__(self):
        self.got, self.reads, self.leaves = [], asyncio.Event(), asyncio.Event()
        self.reads.set()

    async def send(self, message):
        await self.reads.wait()
        self.got.append(message)

    async def receive(self):
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.got)


async def test_the_first_write_opens_it_and_the_preamble_comes_first():
    client = Client()
    stream = EventStream(client.send, headers=[(b"x-id", b"7")], preamble=b"first\n\n")
    assert not stream.is_open and not client.got
    await stream.write(b"a\n\n")
    await stream.write(b"b\n\n", last=True)
    start = client.got[0]
    assert start["status"] == 200 and (b"x-id", b"7") in start["headers"] and stream.is_open
    assert client.body == b"first\n\na\n\nb\n\n" and [
        each["more_body"] for each in client.got[1:]
    ] == [True, False]


async def test_it_is_claimed_once_and_not_after_it_is_open():
    fresh, opened = EventStream(Client().send), EventStream(Client().send)
    assert await fresh.claim() and not await fresh.claim()
    await opened.write()
    assert not await opened.claim()


async def test_silence_is_broken_but_nothing_is_sent_before_it_is_open():
    client = Client()
    timing = StreamTiming(keep_alive=0.02)
    stream = EventStream(client.send, keep_alive=b": here\n\n", timing=timing)
    beating = asyncio.create_task(stream.keep_alive())
    await asyncio.sleep(0.1)
    assert not client.got
    await stream.write(b"a\n\n")
    async with asyncio.timeout(20):
        while client.body.count(b": here") < 2:
            await asyncio.sleep(0.005)
    beating.cancel()
    assert client.body.startswith(b"a\n\n: here\n\n")


async def serve(client, work, **options):
    """Serve a client until the work or the client ends; what became of the work."""
    task = asyncio.create_task(work)
    async with asyncio.timeout(20):
        await serve_until_disconnect(task, client.receive, **options)
    return task


async def forever():
    await asyncio.Event().wait()


async def test_a_client_that_leaves_cancels_the_work_and_is_noted_before():
    client, noted = Client(), []

    async def work():
        try:
            client.leaves.set()
            await forever()
        finally:
            noted.append("over")

    task = await serve(
        client, work(), companions=[forever], on_disconnect=lambda: noted.append("left")
    )
    assert task.cancelled() and noted == ["left", "over"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_client_that_does_not_read_counts_as_one_that_left():
    client = Client()
    client.reads.clear()
    stream = EventStream(client.send, timing=StreamTiming(stalled=0.05, tick=0.01))
    task = await serve(client, stream.write(b"a"), companions=[stream.keep_alive])
    assert task.cancelled() and not client.got


@pytest.mark.parametrize("head_start", [0.0, 5.0])
async def test_work_that_ends_ends_everything_and_its_error_is_raised(head_start):
    client = Client()
    stream = EventStream(client.send)
    task = await serve(
        client, stream.write(b"a", last=True), companions=[stream.keep_alive], head_start=head_start
    )
    assert task.done() and not task.cancelled() and client.body == b"a"

    async def fails():
        raise ValueError("bug")

    with pytest.raises(ValueError, match="bug"):
        await serve(client, fails(), head_start=head_start)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_server_that_stops_cancels_the_work_and_waits_for_it():
    client, over = Client(), []

    async def work():
        try:
            await forever()
        finally:
            await asyncio.sleep(0.01)
            over.append(True)

    serving = asyncio.create_task(serve(client, work()))
    await asyncio.sleep(0.02)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert over == [True] and asyncio.all_tasks() == {asyncio.current_task()}
