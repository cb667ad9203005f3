"""One run and one client: life at once, deadlines and budgets, and what happens when either of them leaves."""

import json
import socket
import time

import httpx
import pytest
from server.conftest import ABLE, live

from musespark.config import Config, Roles
from musespark.content import Image, Message, Text, ToolCall, ToolResult
from musespark.events import MAIN, AgentStarted, RunFailed, RunStarted, Spent
from musespark.models.fake import DOT, FakeModel, Hang
from musespark.server.runs.run_store import MemoryRunStore
from musespark.server.runs.summary import summary
from musespark.store.runs.record import RunCost, RunHeader, StoredRun
from musespark.usage import Usage

ASK = [{"role": "user", "content": "What is 6 * 7?"}]
WAYS = {
    "/v1/chat/completions": {"messages": ASK},
    "/v1/responses": {"input": "What is 6 * 7?"},
    "/v1/messages": {"messages": ASK, "max_tokens": 50},
}


def until(condition, seconds=60.0):
    """Wait for a condition; how many seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it never happened"
        time.sleep(0.002)
    return time.monotonic() - began


def latest(server, **options):
    """The newest run of a server."""
    return httpx.get(f"{server.url}/v1/runs", params={"limit": 1, **options}).json()["data"][0]


@pytest.fixture(scope="module")
def mute():
    """A server whose model never says anything."""
    with live({"mute": FakeModel([Hang()], name="mute", abilities=ABLE)}) as found:
        yield found


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("model", ["mute", "contemplating/mute"])
def test_a_stream_shows_life_before_the_model_does(mute, path, model):
    body = {"model": model, "stream": True, **WAYS[path]}
    with httpx.stream("POST", f"{mute.url}{path}", json=body, timeout=60) as response:
        lines = (line for line in response.iter_lines() if "starts" in line or "data: " in line)
        assert next(lines)


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["hang", "contemplating/hang"])
def test_a_client_that_leaves_takes_everything_with_it(served, path, stream, model):
    body = json.dumps({"model": model, "stream": stream, **WAYS[path]}).encode()
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (path.encode(), host.encode(), len(body), body)
        )
        until(lambda: served.running("hang") >= (2 if "/" in model else 1))
    until(lambda: served.running("hang") == 0)
    until(lambda: latest(served)["status"] != "running")
    assert latest(served)["status"] == "cancelled" and latest(served)["spent"]["calls"] >= 1


def test_a_server_that_stops_cancels_what_does_not_end(tmp_path):
    runs = MemoryRunStore()
    with live(runs=runs, config=Config(roles=Roles(explorer=("hang",)))) as server:
        body = {"model": "hang", "stream": True, "messages": ASK}
        with (
            httpx.Client(timeout=30) as client,
            client.stream("POST", f"{server.url}/v1/chat/completions", json=body) as response,
        ):
            lines = response.iter_lines()
            next(lines)
            until(lambda: server.running("hang") == 1)
            server.server.should_exit = True
            assert "The server is being stopped" in "".join(lines)
    assert server.running("hang") == 0
    [kept] = [kept for kept in runs._kept.values()]
    assert kept.status == "interrupted" and kept.cost.calls == 1


@pytest.mark.parametrize(
    ("budget", "status", "code"),
    [({"seconds": 0.2}, 504, "deadline"), ({"tokens": 5}, 429, "budget_exhausted")],
)
def test_limits_are_errors_where_nothing_was_said(served, budget, status, code):
    body = {"model": "slow", "messages": ASK, "muse": {"budget": budget}}
    response = httpx.post(f"{served.url}/v1/chat/completions", json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.headers["x-should-retry"] == "false"


def test_limits_leave_the_best_answer_so_far(served):
    body = {"model": "hang", "messages": ASK, "muse": {"budget": {"seconds": 1.5}}}
    done = httpx.post(f"{served.url}/v1/chat/completions", json=body).json()
    assert (
        done["choices"][0]["message"]["content"] == "4"
        and done["choices"][0]["finish_reason"] == "length"
    )
    assert done["muse"]["why"] == "budget"


def test_a_bug_is_an_error_too(served):
    response = httpx.post(
        f"{served.url}/v1/chat/completions", json={"model": "crash", "messages": ASK}
    )
    assert (
        response.status_code == 502 and "ZeroDivisionError" in response.json()["error"]["message"]
    )


def test_runs_and_their_images_can_be_seen(served):
    done = httpx.post(f"{served.url}/v1/responses", json={"model": "painter", "input": "Draw."})
    id = done.headers["x-muse-run"]
    run = httpx.get(f"{served.url}/v1/runs/{id}").json()
    assert (run["status"], run["answer"], run["usage"]["tokens"]) == ("finished", "Done.", 10)
    assert run["events"][0]["kind"] == "run_started" and run["events"][0]["run"] == id
    assert [event["seq"] for event in run["events"]] == list(range(len(run["events"])))
    image = httpx.get(f"{served.url}{run['pictures'][0]}")
    assert image.headers["content-type"] == "image/png" and image.content.startswith(b"\x89PNG")
    for page in (
        "/v1/runs/nothing",
        f"/v1/runs/{id}/pictures/2",
        "/v1/runs/..%2f..%2fetc%2fpasswd",
    ):
        assert httpx.get(f"{served.url}{page}").status_code == 404


def test_what_a_run_used_is_what_its_ledger_says_however_it_ended():
    told = [
        RunStarted("r", "thinking", "m", "?"),
        Spent(MAIN, Usage(tokens=5, prompt_tokens=5, calls=1)),
    ]
    kept = StoredRun(
        header=RunHeader(id="r", protocol="chat", model="m", conversation=()),
        events=told,
        status="cancelled",
        cost=RunCost(tokens=97, usd=0.5, calls=2),
    )
    assert summary(kept)["usage"] == {"tokens": 97, "prompt_tokens": 5, "calls": 2, "usd": 0.5}


def test_what_is_not_to_be_stored_is_not(served):
    done = httpx.post(
        f"{served.url}/v1/chat/completions",
        json={"model": "painter", "messages": ASK, "muse": {"store": False}},
    )
    assert httpx.get(f"{served.url}/v1/runs/{done.headers['x-muse-run']}").status_code == 404
    assert done.json()["muse"]["pictures"] == []


def test_models_are_listed_for_both_houses(served, openai_client, anthropic_client):
    for client in (openai_client, anthropic_client):
        names = [model.id for model in client.models.list()]
        assert names[:3] == ["instant", "thinking", "contemplating"] and {
            "nano",
            "contemplating/plain",
        } <= set(names)
        assert client.models.retrieve("contemplating/plain").id == "contemplating/plain"
    assert httpx.get(f"{served.url}/v1/models/nobody").status_code == 404


async def test_memory_keeps_the_newest_and_never_drops_what_goes_on():
    runs = MemoryRunStore(max_runs=3)
    for number in range(6):
        await runs.start(
            RunHeader(
                id=f"r{number}", protocol="chat", model="m", conversation=(Message.user("q"),)
            )
        )
        await runs.append_events(f"r{number}", [RunStarted(f"r{number}", "instant", "m", "q")])
        if number:
            runs.end(f"r{number}", "finished", RunCost())
    assert [kept.header.id for kept in await runs.latest(10)] == ["r5", "r4", "r0"]
    assert [kept.header.id for kept in await runs.latest(10, before="r4")] == ["r0"]
    await runs.append_events("r0", [AgentStarted(MAIN, None, "q")])
    assert len((await runs.get("r0")).events) == 2 and await runs.get("r1") is None


async def test_memory_is_bounded_in_bytes():
    runs = MemoryRunStore(max_bytes=50_000)
    for number in range(50):
        await runs.start(
            RunHeader(
                id=f"r{number}",
                protocol="chat",
                model="m",
                conversation=(Message.user("x" * 5000),),
            )
        )
        runs.end(f"r{number}", "finished", RunCost())
    assert 1 <= len(await runs.latest(100)) <= 10


async def test_what_is_in_memory_is_bounded_whatever_it_is_made_of():
    big = "x" * 10_000
    shown = Text(big), Image(DOT + big.encode(), "image/png")
    long = (
        Message("assistant", (ToolCall("c", "look", big),)),
        Message("tool", (ToolResult("c", shown),)),
    )
    runs = MemoryRunStore(max_bytes=100_000)
    for number in range(20):
        await runs.start(RunHeader(id=str(number), protocol="chat", model="m", conversation=long))
        await runs.append_events(str(number), [RunFailed("ModelFailed", big)])
        runs.end(str(number), "failed", RunCost())
    assert 1 <= len(await runs.latest(100)) <= 3
