"""HEAD and OPTIONS on every page, and browsers' requests from pages of other origins."""

import httpx
import pytest
from server.conftest import live, says

from musespark.models.fake import FakeModel
from musespark.server.state import ServerSettings

ASKED = {"model": "plain", "messages": [{"role": "user", "content": "6 * 7?"}]}
PREFLIGHT = {
    "origin": "https://chat.example.com",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-stainless-os",
}


@pytest.mark.parametrize("path", ["/", "/health", "/v1/models", "/v1/models/plain", "/v1/runs"])
def test_head_is_get_without_its_body(served, path):
    found, head = httpx.get(served.url + path), httpx.head(served.url + path)
    assert (head.status_code, head.content) == (found.status_code, b"") == (200, b"")
    assert head.headers["content-type"] == found.headers["content-type"]


def test_head_of_what_cannot_be_read(served):
    assert httpx.head(f"{served.url}/v1/chat/completions").status_code == 405
    assert httpx.head(f"{served.url}/v1/models/nothing").status_code == 404


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/chat/completions", "OPTIONS, POST"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/v1/responses/resp_1", "DELETE, GET, HEAD, OPTIONS"),
    ],
)
def test_options_name_the_methods_of_a_page(served, path, methods):
    found = httpx.options(served.url + path)
    assert (found.status_code, found.headers["allow"]) == (204, methods)
    assert httpx.options(f"{served.url}/nothing").status_code == 404


def test_other_origins_are_told_nothing_by_default(served):
    answers = [
        httpx.options(f"{served.url}/v1/chat/completions", headers=PREFLIGHT),
        httpx.get(f"{served.url}/v1/models", headers={"origin": PREFLIGHT["origin"]}),
    ]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("allowed", ["https://chat.example.com", "*"])
def test_an_allowed_origin_may_ask(allowed):
    settings = ServerSettings(hosts=("127.0.0.1",), origins=(allowed,))
    models = {"plain": FakeModel(says("42"), name="plain")}
    with live(models, settings=settings) as server:
        url = f"{server.url}/v1/chat/completions"
        asked = httpx.options(url, headers=PREFLIGHT)
        assert asked.status_code == 200 and asked.headers["access-control-allow-origin"] in (
            allowed,
            PREFLIGHT["origin"],
        )
        assert "x-stainless-os" in asked.headers["access-control-allow-headers"]
        answer = httpx.post(url, json=ASKED, headers={"origin": PREFLIGHT["origin"]})
        assert answer.json()["choices"][0]["message"]["content"] == "42"
        assert "access-control-allow-origin" in answer.headers
        shown = set(answer.headers["access-control-expose-headers"].split(", "))
        assert {"x-muse-run", "x-muse-warning", "x-should-retry", "retry-after"} <= shown
        other = httpx.options(url, headers={**PREFLIGHT, "origin": "https://evil.example"})
        assert ("access-control-allow-origin" in other.headers) == (allowed == "*")
        # The page's own routes stay closed to pages of other origins.
        started = httpx.post(
            f"{server.url}/v1/runs", json={}, headers={"origin": PREFLIGHT["origin"]}
        )
        assert started.status_code == 403
