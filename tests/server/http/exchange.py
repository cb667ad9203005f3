"""Requests as they are sent and answered, down to the bytes."""

import json
import socket
from contextlib import suppress

import httpx

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
    return httpx.post(f"{served.url}{path}", content=raw, headers=headers, timeout=60, **options)


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
