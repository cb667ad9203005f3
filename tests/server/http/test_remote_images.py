"""Pictures from elsewhere: never from one's own network, and never too much of them."""

import asyncio
import contextlib
import gzip
import ipaddress
import socket
import threading

import httpx2
import pytest
from hypothesis import given, strategies as st

from musespark.models.fake import DOT
from musespark.server.errors import RequestRefused
from musespark.server.http import remote_images
from musespark.server.http.remote_images import ImageFetcher, is_public

PRIVATE = (
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 255.255.255.255 ::1 :: fe80::1 "
    "fc00::1 fec0::1 ::127.0.0.1 64:ff9b:1::7f00:1 5f00::1 3fff::1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1 "
    "::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1:: ff02::1"
).split()


@pytest.mark.parametrize("place", PRIVATE)
def test_addresses_of_ones_own_network(place):
    assert not is_public(place)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_in_every_clothing(address):
    public = address.is_global and not address.is_multicast
    assert is_public(str(address)) == public
    assert is_public(str(ipaddress.IPv6Address(f"::ffff:{address}"))) == public
    assert (
        is_public(str(ipaddress.IPv6Address(int(ipaddress.ip_address("64:ff9b::")) + int(address))))
        == public
    )


@contextlib.asynccontextmanager
async def web(answer):
    """A web server on loopback that answers everything with these bytes."""
    asked = []

    async def serve(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.png?a=b", asked


@pytest.fixture
def loopback_counts_as_public(monkeypatch):
    """So that a server of the test's own can be reached."""
    monkeypatch.setattr(remote_images, "is_public", lambda place: True)


async def test_loopback_is_refused_before_anything_is_sent():
    async with web(b"") as (address, asked):
        for each in (
            address,
            address.replace("127.0.0.1", "localhost"),
            address.replace("127.0.0.1", "2130706433"),
        ):
            with pytest.raises(RequestRefused, match=r"private network|cannot be reached"):
                await ImageFetcher().fetch([each], True)
    assert asked == []


async def test_nothing_is_fetched_where_that_is_not_allowed():
    with pytest.raises(RequestRefused, match="--allow-remote-images"):
        await ImageFetcher().fetch(["https://example.com/x.png"], False)
    assert await ImageFetcher().fetch([], False) == {}


async def test_an_image(loopback_counts_as_public):
    async with web(b"HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n" + DOT) as (address, asked):
        assert (await ImageFetcher().fetch([address, address], True))[address].data == DOT
    assert len(asked) == 1 and asked[0].startswith(b"GET /x.png?a=b HTTP/1.1\r\nhost: 127.0.0.1:")


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    looked_up = []

    def rebinding(host, port, **options):
        looked_up.append(host)
        return [
            (
                socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                ("127.0.0.1" if len(looked_up) == 1 else "127.0.0.2", port),
            )
        ]

    monkeypatch.setattr(remote_images.socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(remote_images, "is_public", lambda address: address == "127.0.0.1")
    async with web(b"HTTP/1.0 200 OK\r\n\r\n" + DOT) as (address, asked):
        named = address.replace("127.0.0.1", "b\u00fccher.example")
        assert (await ImageFetcher().fetch([named], True))[named].data == DOT
    assert (
        looked_up == ["xn--bcher-kva.example"] and b"\r\nhost: xn--bcher-kva.example:" in asked[0]
    )


async def test_the_certificate_must_be_that_of_the_name(monkeypatch):
    sent = {}

    async def record(transport, request):
        sent.update(url=str(request.url), host=request.headers["host"], **request.extensions)
        raise httpx2.ConnectError("recorded")

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", record)
    monkeypatch.setattr(
        remote_images.socket,
        "getaddrinfo",
        lambda *_, **__: [(2, 1, 6, "", ("93.184.215.14", 443))],
    )
    with pytest.raises(RequestRefused, match="cannot be reached"):
        await ImageFetcher().fetch(["https://images.example/a.png"], True)
    assert (sent["url"], sent["host"], sent["sni_hostname"]) == (
        "https://93.184.215.14/a.png",
        "images.example",
        "images.example",
    )


async def test_what_is_compressed_is_not_expanded(loopback_counts_as_public):
    bomb = gzip.compress(bytes(50_000_000))
    head = b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    async with web(head + bomb) as (address, _):
        with pytest.raises(RequestRefused, match="not a PNG"):
            await ImageFetcher().fetch([address], True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "status 302"),
        (b"HTTP/1.0 200 OK\r\n\r\n<html>", "not a PNG"),
        (b"nonsense", "does not answer"),
        (b"", "does not answer"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + bytes(20_000_001), "more than"),
        (b"x" * 100_000, "does not answer"),
        (b"\r\n\r\n", "does not answer"),
    ],
)
async def test_what_is_no_image(loopback_counts_as_public, answer, said):
    async with web(answer) as (address, _):
        with pytest.raises(RequestRefused, match=said):
            await ImageFetcher().fetch([address], True)


async def test_a_slow_server_is_left(loopback_counts_as_public):
    async def silent(reader, writer):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(2)
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        with pytest.raises(RequestRefused, match="did not come within"):
            await ImageFetcher(timeout=0.2).fetch(
                [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"], True
            )


@pytest.mark.parametrize(
    "address",
    [
        "http://",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1/a\r\nX: y",
        "http://[::1",
        "http://a:99999/",
    ],
)
async def test_addresses_that_are_none(address):
    with pytest.raises(RequestRefused) as refused:
        await ImageFetcher().fetch([address], True)
    assert "secret" not in str(refused.value)


async def test_slow_lookups_hold_up_nobody_else_and_are_few(monkeypatch):
    go_on, asked = threading.Event(), []

    def slow(host, port, **options):
        asked.append(host)
        assert go_on.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(remote_images.socket, "getaddrinfo", slow)
    fetcher = ImageFetcher(max_lookups=3, timeout=0.2)
    try:
        for _ in range(4):  # of those who gave up, the lookups go on
            with pytest.raises(RequestRefused, match="did not come within"):
                await fetcher.fetch([f"http://{number}.example/" for number in range(16)], True)
        assert len(asked) == 3
        async with asyncio.timeout(10):
            assert await asyncio.gather(*(asyncio.to_thread(str, number) for number in range(50)))
    finally:
        go_on.set()
    fetcher.timeout = 10
    with pytest.raises(RequestRefused, match="private network"):
        await fetcher.fetch(["http://again.example/"], True)
    assert asked[-1] == "again.example"
