"""The headers Host and Origin: requests for other names, and of other sites' pages, are refused."""

import pytest
from hypothesis import given, strategies as st
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musespark.server.errors import RequestRefused
from musespark.server.http.hosts import AllowedHosts, require_same_origin

OWN = ("127.0.0.1", "localhost", "[::1]", "::1")


async def status(*hosts):
    """The status of a request with these Host headers."""
    app = AllowedHosts(
        Response(status_code=200), OWN, lambda scope, reply: Response(reply.message, reply.status)
    )
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode("latin-1")) for host in hosts]
    await app(
        {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers},
        None,
        send,
    )
    return sent[0]["status"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8787", "localhost:1", "LOCALHOST", "[::1]", "[::1]:8787"]
)
async def test_own_names_are_answered(host):
    assert await status(host) == 200


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("evil.example",),
        ("127.0.0.1.evil.example",),
        ("evil.example:8787",),
        ("127.0.0.1", "evil.example"),
        ("evil.example", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("",),
        ("www.localhost",),
        ("127.0.0.1@evil.example",),
    ],
)
async def test_other_names_and_more_than_one_are_not(hosts):
    assert await status(*hosts) == 421


@given(
    st.text(
        st.characters(min_codepoint=33, max_codepoint=255, exclude_characters=":[]"),
        min_size=1,
        max_size=20,
    )
)
async def test_no_other_text_is_an_own_name(host):
    assert await status(host) == (200 if host.lower() in OWN else 421)


def request(**headers):
    """A request with headers."""
    return HttpRequest(
        {
            "type": "http",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://127.0.0.1:9", "http://[", ""]
)
def test_another_origin_is_refused(origin):
    with pytest.raises(RequestRefused) as refused:
        require_same_origin(request(host="127.0.0.1:8787", origin=origin))
    assert refused.value.status == 403


def test_the_own_page_and_programs_are_not_refused():
    require_same_origin(request(host="127.0.0.1:8787", origin="http://127.0.0.1:8787"))
    require_same_origin(request(host="127.0.0.1:8787"))
