"""Hostile heads, paths, methods and connections are answered with an error or closed."""

import json
import logging
import socket
import time
from contextlib import ExitStack, suppress
from select import select

import httpx
import pytest
from server.conftest import live
from server.http.exchange import GOOD, PATHS, is_error, raw_exchange, sent

from musespark.server.http.bounded_protocol import BoundedHttpProtocol


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:80:80", "169.254.169.254"]
)
def test_a_request_for_another_host(served, host):
    said = raw_exchange(
        served, f"GET /v1/runs HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )
    assert b" 421 " in said.splitlines()[0]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX y\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello",  # noqa: E501
        b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: "
        + b"x" * 200_000
        + b"\r\nConnection: close\r\n\r\n",
    ],
    ids=range(7),
)
def test_a_head_that_is_smuggled_or_broken(served, head):
    said = raw_exchange(served, head)
    assert said.startswith(b"HTTP/1.1 4") or said == b""
    assert httpx.get(f"{served.url}/health").json() == {"status": "ok"}


class ImpatientProtocol(BoundedHttpProtocol):
    """The server's protocol, with little time for a head."""

    head_timeout = 0.3


def test_a_head_that_never_ends():
    with live(protocol=ImpatientProtocol) as impatient:
        head = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        assert raw_exchange(impatient, head + b"X-Slow: ") == b""
        assert raw_exchange(impatient, head + b"\r\nGET /hea").count(b'"ok"') == 1


CHUNKED = b"Host: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"


def chunks(path, more=b""):
    """A good question in two chunks, without its end."""
    raw = json.dumps(GOOD[path]).encode()
    pieces = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (raw[:9], raw[9:]))
    return b"POST %b HTTP/1.1\r\n%b%b\r\n%b0\r\n" % (path.encode(), CHUNKED, more, b"".join(pieces))


@pytest.mark.parametrize("path", PATHS)
def test_what_follows_a_body_is_no_part_of_the_head(served, path):
    said = raw_exchange(
        served,
        chunks(path, b"Connection: close\r\n") + b"Host: evil.example\r\nX-Muse: nonsense\r\n\r\n",
    )
    assert b" 200 " in said.splitlines()[0]


@pytest.mark.parametrize(
    ("begun", "endless"),
    [
        (chunks(PATHS[0]), b"X: y\r\n" * 1000),
        (chunks(PATHS[0]) + b"X: ", b"y" * 9000),
        (chunks(PATHS[0])[:-3] + b"5;", b"y" * 9000),
    ],
    ids=["fields after the body", "one field after the body", "what a chunk says of itself"],
)
def test_what_is_no_body_and_never_ends(served, begun, endless):
    host, port = served.url.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=30) as connection,
        pytest.raises(ConnectionError),
    ):
        connection.sendall(begun)
        for _ in range(20_000):
            connection.sendall(endless)
    assert httpx.get(f"{served.url}/health").status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_a_request_to_go_on_in_another_protocol_is_not_heard(served, path, protocol):
    raw = json.dumps(GOOD[path]).encode()
    head = (
        b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: %d\r\nUpgrade: %b\r\n"
        b"Content-Type: application/json\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n\r\n"
    )
    last = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    said = raw_exchange(served, head % (path.encode(), len(raw), protocol) + raw + last)
    assert b" 200 " in said.splitlines()[0] and b"42" in said and said.endswith(b'{"status":"ok"}')


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("nonsense", "The header x-muse is not JSON"),
        ('{"agents": 0}', "The header x-muse: agents: "),
        ("[]", "The header x-muse: input should be"),
    ],
)
def test_a_header_that_is_wrong_is_named(served, header, told):
    response = sent(served, PATHS[0], GOOD[PATHS[0]], headers={"x-muse": header})
    assert response.status_code == 400 and response.json()["error"]["message"].startswith(told)


def test_many_large_bodies_that_never_end():
    with live() as server:
        server.server.config.app.state.body_memory.limit = 3_000_000
        host, port = server.url.removeprefix("http://").split(":")
        head = f"POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n"
        with ExitStack() as held:
            waiting = [
                held.enter_context(socket.create_connection((host, int(port)), timeout=30))
                for _ in range(5)
            ]
            for connection in waiting:
                with suppress(ConnectionError):  # it was hung up on while it was still sending
                    connection.sendall(head.encode() + b" " * 1_000_000)
            said = [connection.recv(4096) for connection in select(waiting, [], [], 30)[0]]
            assert said and all(b" 429 " in one.splitlines()[0] for one in said if one)
        wait = time.monotonic() + 30
        while server.server.config.app.state.body_memory.used and time.monotonic() < wait:
            time.sleep(0.01)
        assert server.server.config.app.state.body_memory.used == 0
        assert sent(server, "/v1/messages", GOOD["/v1/messages"]).status_code == 200


@pytest.mark.parametrize(
    "page",
    [
        "/v1/runs/..",
        "/v1/runs/%2e%2e%2f%2e%2e",
        "/v1/runs/a%00b",
        "/v1/runs/" + "x" * 5000,
        "/v1/runs/x/pictures/0",
        "/v1/runs/x/pictures/-1",
        "/v1/runs/x/pictures/99999999999999999999",
        "/v1/models/" + "x" * 3000,
        "/v1/runs?limit=0",
        "/v1/runs?limit=abc",
        "/nowhere",
        "/v1/messages/nowhere",
        "//etc/passwd",
    ],
)
def test_pages_that_do_not_exist(served, page):
    response = httpx.get(f"{served.url}{page}")
    assert response.status_code in (400, 404) and is_error(response, page[:12])


@pytest.mark.parametrize("path", PATHS)
def test_a_base_url_that_is_nearly_right(served, path):
    for nearly in (path.removeprefix("/v1"), f"/v1{path}", f"/openai{path}", f"/{path}"):
        response = sent(
            served,
            nearly,
            GOOD[path],
            headers={"anthropic-version": "2023-06-01"} if path == "/v1/messages" else {},
        )
        assert response.status_code == 404 and is_error(response, path)
        assert f", but {path}; look at the base URL." in response.json()["error"]["message"]


@pytest.mark.parametrize("path", PATHS)
def test_another_method(served, path):
    response = httpx.get(f"{served.url}{path}")
    assert (
        response.status_code == 405
        and response.headers["allow"] == "POST"
        and is_error(response, path)
    )


@pytest.mark.parametrize(
    "length", [b"Content-Length: 500\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n9\r\n"]
)
def test_who_leaves_in_the_middle_of_a_body_leaves_nothing_in_the_log(
    served, length, caplog, monkeypatch
):
    log = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(log, "handlers", [caplog.handler])
    caplog.set_level(logging.ERROR, log.name)
    host, port = served.url.removeprefix("http://").split(":")
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head + length + b'{"model"')
        time.sleep(0.2)
    time.sleep(0.3)
    assert httpx.get(f"{served.url}/health").status_code == 200
    assert caplog.records == []
