"""A line for each request, under the id that its client was given."""

import json

import httpx

from musespark.config import Config, Roles
from musespark.server.app import make_app
from musespark.server.request_log import RequestLog

from .conftest import scripts


async def test_each_request_is_one_line_under_its_clients_id():
    lines = []
    app = make_app(Config(roles=Roles(explorer=("plain",))), models=scripts())
    app.add_middleware(RequestLog, write=lines.append)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        body = {"model": "plain", "messages": [{"role": "user", "content": "rhubarb"}]}
        replies = [
            await client.post("/v1/chat/completions?secret=sesame", json=body),
            await client.get("/health", headers={"authorization": "Bearer sesame"}),
            await client.get("/nowhere"),
        ]
    found = [json.loads(line) for line in lines]
    assert [line["id"] for line in found] == [reply.headers["x-request-id"] for reply in replies]
    assert [line["status"] for line in found] == [200, 200, 404]
    assert found[0]["id"] == replies[0].json()["muse"]["run"]
    assert [line["path"] for line in found] == ["/v1/chat/completions", "/health", "/nowhere"]
    assert "sesame" not in "".join(lines) and "rhubarb" not in "".join(lines)
