"""uvicorn's internals are as `BoundedHttpProtocol` needs them; if not, read that file before the pin is moved."""

import asyncio
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from musespark.server.http.bounded_protocol import BoundedHttpProtocol

OVERRIDDEN = {
    "connection_made": ["self", "transport"],
    "connection_lost": ["self", "exc"],
    "data_received": ["self", "data"],
    "on_header": ["self", "name", "value"],
    "on_headers_complete": ["self"],
    "on_body": ["self", "body"],
    "on_message_complete": ["self"],
    "handle_websocket_upgrade": ["self"],
}


def test_the_minor_version_of_uvicorn_is_pinned():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    [pin] = [
        text for text in project["optional-dependencies"]["serve"] if text.startswith("uvicorn")
    ]
    low, high = re.findall(r"[<>=]+0\.(\d+)", pin)
    installed = version("uvicorn").split(".")
    assert installed[0] == "0" and {int(low), int(high)} == {
        int(installed[1]),
        int(installed[1]) + 1,
    }


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_is_overridden_is_still_there_and_calls_the_same(name):
    assert list(inspect.signature(getattr(HttpToolsProtocol, name)).parameters) == OVERRIDDEN[name]
    assert (
        list(inspect.signature(getattr(BoundedHttpProtocol, name)).parameters) == OVERRIDDEN[name]
    )


class Transport(asyncio.Transport):
    """A connection that keeps what is written to it."""

    def __init__(self):
        super().__init__(extra={"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)})
        self.written, self.closed = b"", False

    def write(self, data):
        self.written += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


async def connected():
    """A protocol on a connection, over an application that says the length of each body."""

    async def app(scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
        )
        await send({"type": "http.response.body", "body": b"%4d" % len(body)})

    config = uvicorn.Config(app, http=BoundedHttpProtocol, log_level="critical", lifespan="off")
    config.load()
    protocol, transport = (
        BoundedHttpProtocol(config=config, server_state=ServerState(), app_state={}),
        Transport(),
    )
    protocol.connection_made(transport)
    return protocol, transport


async def until(condition):
    """Wait for a condition."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


async def test_attributes_it_reads_are_there_and_a_request_is_answered():
    protocol, transport = await connected()
    assert (
        protocol.cycle is None
        and protocol.transport is transport
        and protocol.loop is asyncio.get_running_loop()
    )
    assert protocol._timer is not None
    protocol.data_received(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc")
    assert protocol.headers and protocol._timer is None
    await until(lambda: protocol.cycle.response_complete)
    assert (
        transport.written.startswith(b"HTTP/1.1 200 ")
        and transport.written.endswith(b"   3")
        and not transport.closed
    )
    protocol.connection_lost(None)


async def test_a_head_that_is_too_large_is_refused_in_whatever_pieces_it_comes():
    protocol, transport = await connected()
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ")
    for _ in range(9):
        if not transport.closed:
            protocol.data_received(b"x" * 8192)
    assert transport.closed and b" 200 " not in transport.written
    protocol.connection_lost(None)
