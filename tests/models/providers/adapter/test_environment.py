"""Proxies and certificates of the environment are used, never for this machine; each problem names its variable."""

import asyncio
import os
import ssl
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from models.providers.kinds import KINDS
from models.providers.servers import Say, serving

from musespark.content import Request
from musespark.errors import BadEnvironment, MissingKey, ModelFailed
from musespark.models.providers.adapter.environment import find_proxy, load_certificates
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.base import is_loopback, read_variable
from musespark.models.providers.compatible import VLLM, Compatible
from musespark.models.providers.ollama import Ollama

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch):
    for name in (*CERTIFICATES, "NO_PROXY", "no_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)


def variable_of(address):
    found = find_proxy(address)
    return found and found.variable


@pytest.mark.parametrize(
    ("set_", "address", "expected"),
    [
        ({"HTTP_PROXY": "http://p:1"}, "http://far.test/v1", "HTTP_PROXY"),
        (
            {"HTTP_PROXY": "http://p:1", "http_proxy": "http://q:1"},
            "http://far.test/v1",
            "http_proxy",
        ),
        ({"HTTP_PROXY": "http://p:1"}, "https://far.test/v1", None),
        ({"HTTPS_PROXY": "p:1", "ALL_PROXY": "q:1"}, "https://far.test/v1", "HTTPS_PROXY"),
        ({"all_proxy": "socks5://p:1"}, "https://far.test/v1", "all_proxy"),
        ({"ALL_PROXY": "  "}, "https://far.test/v1", None),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://far.test/v1", None),
    ],
)
def test_the_proxy_of_an_address_is_that_of_its_scheme(set_, address, expected, monkeypatch):
    for name, value in set_.items():
        monkeypatch.setenv(name, value)
    assert variable_of(address) == expected


@pytest.mark.parametrize(
    ("entries", "address", "direct"),
    [
        ("far.test", "http://far.test/v1", True),
        ("far.test", "http://api.far.test/v1", True),
        ("far.test", "http://nearfar.test/v1", False),
        (".far.test", "http://api.far.test/v1", True),
        ("*.far.test", "http://api.far.test/v1", True),
        ("a.test, far.test", "http://far.test/v1", True),
        ("a.test far.test", "http://far.test/v1", True),
        ("FAR.test", "http://far.TEST./v1", True),
        ("far.test:8000", "http://far.test:8000/v1", True),
        ("far.test:8000", "http://far.test:9000/v1", False),
        ("10.0.0.0/8", "http://10.1.2.3/v1", True),
        ("10.1.2.3", "http://10.1.2.3:8000/v1", True),
        ("192.168.0.0/16", "http://10.1.2.3/v1", False),
        ("[fd00::1]", "http://[fd00::1]:8000/v1", True),
        ("fd00::/8", "http://[fd00::1]/v1", True),
        ("*", "http://far.test/v1", True),
        ("", "http://far.test/v1", False),
    ],
)
def test_no_proxy_names_what_is_reached_directly(entries, address, direct, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://p:1")
    monkeypatch.setenv("NO_PROXY", entries)
    assert (find_proxy(address) is None) == direct


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("0.0.0.0", True),
        ("[::]", True),
        ("[::1]", True),
        ("[::ffff:127.0.0.1]", True),
        ("LOCALHOST", True),
        ("localhost.", True),
        ("models.localhost", True),
        ("127.0.0.1.far.test", False),
        ("localhost.far.test", False),
        ("10.0.0.1", False),
    ],
)
def test_this_machine_has_many_names(host, here, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://p:1")
    address = f"http://{host}:8000/v1"
    assert is_loopback(address) == here and (find_proxy(address) is None) == here


async def answer_of(address):
    model = RemoteModel(Compatible(), "any", RemoteOptions(base_url=address, timeout=5.0))
    return [delta async for delta in model.stream(Request.of("What?"))][-1].message.text


@pytest.mark.parametrize(
    "value", ["socks5h://127.0.0.1:1", "nonsense://x", "http://[", "127.0.0.1:1"]
)
async def test_a_server_on_this_machine_needs_no_proxy(value, monkeypatch):
    for name in ("ALL_PROXY", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, value)
    async with serving("chat", Say("here")) as server:
        assert await answer_of(server.url) == "here"


async def test_an_http_proxy_is_used_for_other_machines(monkeypatch):
    async with serving("chat", Say("through the proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        assert await answer_of("http://models.test/v1") == "through the proxy"
        assert proxy.paths == ["http://models.test/v1/chat/completions"]


@asynccontextmanager
async def socks_proxy(target):
    """A SOCKS 5 proxy that connects to `target`, wherever it is asked to; yields its port and the names it was asked for."""
    asked = []

    async def pipe(reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def handle(reader, writer):
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        asked.append((await reader.readexactly(size)).decode())
        await reader.readexactly(2)
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(
            pipe(reader, far_writer), pipe(far_reader, writer), return_exceptions=True
        )

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def test_a_socks_proxy_is_used_for_other_machines(monkeypatch):
    async with serving("chat", Say("through it")) as server:
        async with socks_proxy(int(server.url.split(":")[2].split("/")[0])) as (port, asked):
            monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{port}")
            assert await answer_of("http://models.test/v1") == "through it"
        assert asked == ["models.test"]


@pytest.mark.parametrize(
    "value", ["ftp://p:1", "http://", "http://p:port", "http://a b", "socks4://p:1"]
)
async def test_a_proxy_that_cannot_be_used_is_one_sentence(value, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(
        BadEnvironment, match=r"The environment variable ALL_PROXY cannot be used: .*\.$"
    ) as caught:
        await answer_of("http://models.test/v1")
    assert "\n" not in str(caught.value)


async def test_a_proxys_password_is_in_no_error(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://me:secret@127.0.0.1:1")
    with pytest.raises(ModelFailed) as caught:
        await answer_of("http://models.test/v1")
    assert "secret" not in str(caught.value) + repr(find_proxy("http://models.test/v1"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of this machine, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("certificates")
    made, key = folder / "own.pem", folder / "own.key"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            str(key),
            "-out",
            str(made),
        ],
        check=True,
        capture_output=True,
    )
    return made, key


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_own_certificates_are_trusted(name, certificate, monkeypatch):
    made, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    body = b'data: {"choices": [{"delta": {"content": "safe"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        with pytest.raises(ModelFailed, match="certificate"):
            await answer_of(address)
        monkeypatch.setenv(name, f' "{made}" ')
        assert await answer_of(address) == "safe"


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("kind", ["missing", "no certificates"])
async def test_certificates_that_cannot_be_used_are_one_sentence(name, kind, tmp_path, monkeypatch):
    path = tmp_path / "some.pem"
    if kind == "no certificates":
        path.write_text("not one")
    monkeypatch.setenv(name, str(path))
    with pytest.raises(
        BadEnvironment, match=rf"The environment variable {name} cannot be used: .*\.$"
    ):
        load_certificates()
    async with serving("chat", Say("plain")) as server:
        assert await answer_of(server.url) == "plain"  # it needs none


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_every_provider_names_the_variable(kind, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such.pem")
    with pytest.raises(BadEnvironment, match="SSL_CERT_FILE"):
        async for _ in kind.at("https://127.0.0.1:1/v1").stream(Request.of("What?")):
            pass


@pytest.mark.parametrize("around", ["{}\n", "\ufeff{}", '"{}"', "'{}'", "\u200b{} ", "\r\n{}\r\n"])
async def test_what_files_leave_around_a_key_is_no_part_of_it(around, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", around.format("sk-12"))
    async with serving("chat", Say("ok")) as server:
        model = RemoteModel(VLLM(), "any", RemoteOptions(base_url=server.url))
        async for _ in model.stream(Request.of("What?")):
            pass
        assert b"Bearer sk-12\r\n" in server.raw[0]


def test_a_variable_may_begin_with_a_byte_order_mark(monkeypatch):
    monkeypatch.setenv("\ufeffVLLM_API_KEY", "sk-12")
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    assert read_variable("VLLM_API_KEY") == "sk-12"


def test_a_variable_is_read_where_the_locale_has_ascii_alone():
    code = (
        "from musespark.models.providers.base import read_variable as read; "
        "print(read('HOUSE_KEY') + read('NO_SUCH_KEY'))"
    )
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOUSE_KEY": "sk-12"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **plain}, capture_output=True, text=True
    )
    assert done.stdout == "sk-12\n", done.stderr


def test_a_key_that_no_header_can_carry_names_its_variable(monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "schl\u00fcssel")
    with pytest.raises(MissingKey, match="VLLM_API_KEY"):
        RemoteModel(VLLM(), "any").read_key()


@pytest.mark.parametrize(
    ("provider", "name"),
    [(VLLM, "VLLM_BASE_URL"), (Ollama, "OLLAMA_BASE_URL"), (Ollama, "OLLAMA_HOST")],
)
def test_an_address_that_is_none_names_its_variable(provider, name, monkeypatch):
    monkeypatch.setenv(name, "ftp://models.test")
    with pytest.raises(BadEnvironment, match=name):
        RemoteModel(provider(), "any")


@pytest.mark.slow
def test_the_library_is_imported_with_any_proxy(tmp_path):
    code = (
        "from musespark.models.registry import create_model; print(create_model('vllm:any').name)"
    )
    for value in ("socks5://127.0.0.1:1", "nonsense"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={
                "PATH": "",
                "PYTHONPATH": ":".join(sys.path),
                "ALL_PROXY": value,
                "SSL_CERT_FILE": "/no.pem",
            },
            capture_output=True,
            text=True,
        )
        assert done.stdout == "vllm:any\n", done.stderr
