"""Redirects are followed within one server only: a request carries a key and a conversation."""

from contextlib import asynccontextmanager

import pytest
from models.providers.kinds import KINDS
from models.providers.servers import Raw, Say, serving

from musespark.content import Request, ToolSpec
from musespark.errors import ModelFailed
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import Compatible

WEIGH = ToolSpec.of("weigh", "Weighs.", {"type": "object", "properties": {}})
BOTH = pytest.mark.parametrize(
    "request_",
    [Request.of("What?"), Request.of("What?", tools=(WEIGH,))],
    ids=["fast", "tools"],
)


@asynccontextmanager
async def redirecting(status, location, *then):
    """A server that redirects its first request; `location` may name {here}."""
    async with serving("chat") as server:
        headers = (("location", location.format(here=server.url)), ("content-type", "text/plain"))
        server.script += [Raw("", status, headers), *then]
        yield server, RemoteModel(Compatible(), "any", RemoteOptions(base_url=server.url))


@BOTH
@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("location", ["/other/chat/completions", "{here}/x/chat/completions"])
async def test_a_redirect_within_the_server_is_followed_with_the_key(status, location, request_):
    async with redirecting(status, location, Say("Twelve.")) as (server, model):
        deltas = [delta async for delta in model.stream(request_)]
    assert deltas[-1].message.text == "Twelve."
    assert server.bodies[0] == server.bodies[1] and server.paths[0] != server.paths[1]
    assert all(b"authorization: bearer" in raw.lower() for raw in server.raw)


@BOTH
async def test_neither_key_nor_question_follows_a_redirect_to_another_server(request_):
    async with (
        serving("chat") as other,
        redirecting(307, f"{other.url}/chat/completions") as (_, model),
    ):
        with pytest.raises(
            ModelFailed, match=r"redirects to http://127\.0\.0\.1:.*set the address"
        ):
            async for _ in model.stream(request_):
                pass
        assert not other.raw


@BOTH
async def test_a_redirect_to_no_address_is_not_followed(request_):
    async with redirecting(307, "http://[") as (server, model):
        with pytest.raises(ModelFailed, match="307"):
            async for _ in model.stream(request_):
                pass
        assert len(server.paths) == 1


@BOTH
async def test_a_circle_of_redirects_ends(request_):
    circle = [Raw("", 307, (("location", "/v1/chat/completions"),)) for _ in range(20)]
    async with redirecting(307, "/v1/chat/completions", *circle) as (server, model):
        with pytest.raises(ModelFailed, match="in a circle"):
            async for _ in model.stream(request_):
                pass
        assert len(server.paths) == 6


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.wire in ("anthropic", "google")], ids=str
)
async def test_no_key_of_any_provider_follows_a_redirect(kind):
    async with serving(kind.wire) as other, serving(kind.wire) as server:
        server.script.append(Raw("", 307, (("location", f"{other.url}/v1/x"),)))
        with pytest.raises(ModelFailed, match="redirects to"):
            async for _ in kind.at(server.url).stream(Request.of("What?")):
                pass
        assert not other.raw
