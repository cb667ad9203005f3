"""Input that means no good, or is broken: a typed 4xx at once, never a fault of the server."""

import base64
import json
import struct
import zlib

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from server.http.exchange import ASK, GOOD, PATHS, is_error, raw_exchange, sent

from musespark.server.errors import STATUSES
from musespark.server.http.body import MAX_BYTES


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
    assert ("200,000 JSON values" in response.json()["error"]["message"]) == (raw != MANY["broken"])


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
def test_an_image_that_is_none(native, data):
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
def test_an_image_from_elsewhere(served, url):
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
