"""Input that means no good, or is broken: a typed 4xx at once, never a fault of the server."""

import base64
import json
import logging
import socket
import struct
import time
import zlib
from contextlib import ExitStack, suppress
from select import select

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from server.conftest import live

from musespark.server.errors import STATUSES
from musespark.server.http import bounded_protocol
from musespark.server.http.body import MAX_BYTES

ASK = [{"role": "user", "content": "What is 6 * 7?"}]
GOOD = {
    "/v1/chat/completions": {"model": "plain", "messages": ASK},
    "/v1/responses": {"model": "plain", "input": [{"role": "user", "content": "What is 6 * 7?"}]},
    "/v1/messages": {"model": "plain", "messages": ASK, "max_tokens": 50},
}
PATHS = list(GOOD)


def sent(served, path, body, **options):
    """The response to raw bytes, or to a value as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **options.pop("headers", {})}
    began = time.monotonic()
    response = httpx.post(
        f"{served.url}{path}", content=raw, headers=headers, timeout=60, **options
    )
    assert time.monotonic() - began < 20  # one second on an idle machine
    return response


def is_error(response, path):
    """True if it has the protocol's own shape, and a sentence."""
    said = response.json()
    error = said["error"]
    assert (
        error["message"].endswith(".")
        and len(error["message"]) < 1000
        and "Traceback" not in error["message"]
    )
    assert (said.get("type") == "error") == (path == "/v1/messages")
    return True


def raw_exchange(served, data, seconds=10.0):
    """The reply to bytes on a connection of their own."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        pieces = []
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe{}",
        b'{"model": "\xff"}',
        b'{"model": NaN}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"model": "plain", "model": 5}',
        b'{"model": "\\ud800"}',
        b"{}" * 2,
        b"\x00",
        b'{"model": ' + b"9" * 10_000 + b"}",
        b'{"__proto__": {}, "model": "plain"}',
        b'{"model": "' + b"x" * 1000 + b'"}',
    ],
    ids=range(17),
)
def test_a_body_that_is_no_request(served, path, raw):
    response = sent(served, path, raw)
    assert response.status_code == 400 and is_error(response, path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": ""},
        {"content-encoding": "gzip"},
    ],
)
def test_another_kind_of_body(served, path, headers):
    response = sent(served, path, GOOD[path], headers=headers)
    assert response.status_code == 415 and is_error(response, path)


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_is_too_large(served, path):
    def endless():
        for _ in range(MAX_BYTES // 1_000_000 + 2):
            yield b" " * 1_000_000

    host = served.url.removeprefix("http://")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    said = raw_exchange(served, f"{head}Content-Length: {MAX_BYTES + 1}\r\n\r\n".encode())
    assert b" 413 " in said.splitlines()[0]
    try:
        response = httpx.post(
            f"{served.url}{path}",
            content=endless(),
            headers={"content-type": "application/json"},
            timeout=60,
        )
    except httpx.WriteError:
        return  # it was hung up on while it was still sending
    assert response.status_code == 413 and is_error(response, path)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (
            "/v1/chat/completions",
            {"tools": [{"type": "function", "function": {"name": f"t{n}"}} for n in range(10_000)]},
        ),
        (
            "/v1/responses",
            {"tools": [{"type": "function", "name": f"t{n}"} for n in range(10_000)]},
        ),
        ("/v1/messages", {"tools": [{"name": f"t{n}", "input_schema": {}} for n in range(10_000)]}),
        ("/v1/chat/completions", {"messages": ASK * 10_000}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x" * 5_000_000}]}),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * 100_000}]},
        ),
        (
            "/v1/chat/completions",
            {
                "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * 4_000}]
                * 6
            },
        ),
        ("/v1/messages", {"system": [{"type": "text", "text": "x"}] * 100_000}),
        (
            "/v1/responses",
            {
                "input": [
                    {"role": "user", "content": [{"type": "input_text", "text": "x"}] * 100_000}
                ]
            },
        ),
        (
            "/v1/chat/completions",
            {
                "messages": [
                    *ASK,
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {
                                "id": "a",
                                "type": "function",
                                "function": {"name": "t", "arguments": "{}"},
                            }
                        ],
                    },
                    {"role": "tool", "tool_call_id": "a", "content": "x" * 5_000_000},
                ]
            },
        ),
        (
            "/v1/chat/completions",
            {
                "messages": [
                    *ASK,
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {
                                "id": "a",
                                "type": "function",
                                "function": {"name": "t", "arguments": "x" * 5_000_000},
                            }
                        ],
                    },
                    *ASK,
                ]
            },
        ),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": " "}]}),
        ("/v1/chat/completions", {"messages": []}),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "tool", "tool_call_id": "nobody", "content": "x"}, *ASK]},
        ),
        ("/v1/chat/completions", {"max_tokens": 0}),
        ("/v1/chat/completions", {"max_tokens": 10**30}),
        ("/v1/chat/completions", {"seed": 2**63}),
        ("/v1/chat/completions", {"temperature": 1e308}),
        ("/v1/chat/completions", {"top_p": 0}),
        ("/v1/chat/completions", {"temperature": "0.5"}),
        ("/v1/chat/completions", {"stop": ["x"] * 100}),
        ("/v1/chat/completions", {"muse": {"budget": {"usd": -1}}}),
        ("/v1/chat/completions", {"muse": {"budget": {"seconds": 0}}}),
        ("/v1/messages", {"max_tokens": None}),
        ("/v1/messages", {"max_tokens": True}),
    ],
)
def test_too_much_or_too_little_of_something(served, path, change):
    response = sent(served, path, {**GOOD[path], **change})
    assert response.status_code == 400 and is_error(response, path)


def many(text, number=1_500_000):
    return ",".join([text] * number)


MANY = {
    "fields": many('"k":1'),
    "other fields": ",".join(f'"k{number}":1' for number in range(500_000)),
    "metadata": '"metadata":{' + many('"k":"v"') + "}",
    "muse": '"muse":{' + many('"k":1') + "}",
    "messages": '"messages":[' + many('{"role":"user","content":[1]}', 500_000) + "]",
    "texts": '"x":[' + many('""', 5_000_000) + "]",
    "lists": '"x":[' + many("[]") + "]",
    "schema": '"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{'
    + many('"k":1')
    + "}}}",
    "broken": '"' + '\\"' * 5_000_000,
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("raw", MANY.values(), ids=MANY)
def test_millions_of_anything(served, path, raw):
    response = sent(served, path, b'{"model":"plain",' + raw.encode() + b"}")
    assert response.status_code == 400 and is_error(response, path)
    assert ("200,000 parts" in response.json()["error"]["message"]) == (raw != MANY["broken"])


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2, "\\"]},' * 150_000, "," * 3_000_000, "深," * 500_000]
)
def test_a_long_text_may_look_like_anything(served, text):
    response = sent(
        served, PATHS[0], {"model": "plain", "messages": [{"role": "user", "content": text}]}
    )
    assert response.status_code == 200


def bomb():
    """A PNG of a few bytes that says it has 60,000 by 60,000 pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


BROKEN = {
    "bomb": bomb(),
    "broken": b"\x89PNG\r\n\x1a\n" + bytes(50),
    "cut": b"GIF89a",
    "svg": b"<svg/>",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_image_that_is_none(native, data):
    url = "data:image/png;base64," + base64.b64encode(data).decode()
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "Which moves solve this maze?"},
    ]
    for model in ("contemplating", "instant"):
        response = sent(
            native,
            "/v1/chat/completions",
            {"model": model, "messages": [{"role": "user", "content": content}]},
        )
        assert response.status_code == 400 and is_error(response, "/v1/chat/completions")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x.png",
        "https://example.com/x.png",
        "file:///etc/passwd",
        "data:text/html;base64,AAAA",
        "data:image/png;base64,####",
        "ftp://x",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_image_from_elsewhere(served, url):
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "?"}]
    response = sent(
        served,
        "/v1/chat/completions",
        {"model": "plain", "messages": [{"role": "user", "content": content}]},
    )
    assert response.status_code == 400 and is_error(response, "/v1/chat/completions")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/x.json"},
        {"$ref": "file:///etc/passwd"},
        {"type": 5},
        {"pattern": "("},
        {"$ref": "#/$defs/nothing"},
    ],
)
def test_a_schema_that_cannot_be_used(served, schema):
    body = {
        **GOOD["/v1/chat/completions"],
        "model": "json",
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    }
    response = sent(served, "/v1/chat/completions", body)
    assert response.status_code == 400 and is_error(response, "/v1/chat/completions")


def test_a_pattern_that_would_take_for_ever(served):
    schema = {"properties": {"answer": {"type": "string", "pattern": "^(a+)+$"}}}
    said = json.dumps({"answer": "a" * 5000 + "b"})
    body = {
        "model": "parrot",
        "messages": [{"role": "user", "content": said}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    }
    response = sent(served, "/v1/chat/completions", body)
    assert response.status_code == 502 and response.json()["error"]["code"] == "schema_not_met"


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


def test_a_head_that_never_ends(served, monkeypatch):
    monkeypatch.setattr(bounded_protocol, "HEAD_TIMEOUT", 0.3)
    began = time.monotonic()
    assert raw_exchange(served, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ") == b""
    assert (
        raw_exchange(served, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /hea").count(
            b'"ok"'
        )
        == 1
    )
    assert time.monotonic() - began < 20


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw):
    """A good body with something else in one place, or something more."""
    path = draw(st.sampled_from(PATHS))
    body = json.loads(json.dumps(GOOD[path]))
    kind = draw(st.sampled_from(("field", "known", "inside", "raw")))
    if kind == "raw":
        return path, draw(st.binary(max_size=200))
    if kind == "inside":
        turn = next(value for value in body.values() if isinstance(value, list))[0]
        turn[draw(st.sampled_from(("role", "content", "type", "tool_calls", "name", "id")))] = draw(
            JSON
        )
    else:
        known = (
            "model muse stop tools tool_choice response_format text thinking system reasoning seed stream max_tokens "
            "temperature top_p store metadata output_config previous_response_id input"
        ).split()
        body[draw(st.sampled_from(known) if kind == "known" else st.text(max_size=10))] = draw(JSON)
    return path, json.dumps(body).encode()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_whatever_comes_is_answered_or_refused(served, given_body):
    path, raw = given_body
    response = sent(served, path, raw)
    status = response.status_code
    assert status == 200 or (status in STATUSES and status < 500 and is_error(response, path))


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
