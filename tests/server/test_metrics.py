"""What a server counts, as Prometheus's own parser reads it."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from musespark.config import Config, Roles

from .conftest import live

ASK = [{"role": "user", "content": "What is 6 * 7?"}]


def counted(server):
    page = httpx.get(f"{server.url}/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


@pytest.fixture
def server():
    with live(config=Config(roles=Roles(explorer=("plain",)))) as server:
        yield server


def test_requests_runs_tokens_and_money_are_counted(server):
    def ask(**body):
        return httpx.post(f"{server.url}/v1/chat/completions", json={"messages": ASK, **body})

    assert [ask(model="thinking").status_code for _ in range(3)] == [200] * 3
    assert ask(model="thinking", muse={"store": False}).status_code == 200
    assert ask(model="broken").status_code == 400 and ask(model="nobody").status_code == 404
    assert (
        httpx.post(
            f"{server.url}/v1/messages",
            json={"model": "thinking", "messages": ASK, "max_tokens": 9},
        ).status_code
        == 200
    )
    found = counted(server)
    assert found["muse_requests_total", ("protocol", "chat"), ("status", "200")] == 4
    assert found["muse_requests_total", ("protocol", "chat"), ("status", "404")] == 1
    assert found["muse_requests_total", ("protocol", "messages"), ("status", "200")] == 1
    assert found["muse_runs_total", ("mode", "thinking"), ("outcome", "finished")] == 5
    assert found["muse_runs_total", ("mode", "thinking"), ("outcome", "failed")] == 1
    assert found["muse_tokens_total", ("mode", "thinking")] == 50
    assert found["muse_usd_total", ("mode", "thinking")] == pytest.approx(0.005)
    assert found["muse_run_seconds_count", ("mode", "thinking")] == 6
    assert found["muse_first_token_seconds_count", ("mode", "thinking")] == 5
    assert found["muse_running",] == 0


def test_no_label_says_who_asked_or_what(server):
    httpx.post(
        f"{server.url}/v1/chat/completions",
        json={"model": "thinking", "messages": ASK, "user": "ann"},
        headers={"authorization": "Bearer sesame"},
    )
    labels = {label for name, *rest in counted(server) for label, _ in rest}
    assert labels == {"protocol", "status", "mode", "outcome", "le", "fault"}
