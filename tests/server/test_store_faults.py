"""Faults of the store, and who may know what: readiness, metrics, the log, and sentences for clients."""

import shutil
import time
from dataclasses import replace

import httpx
import pytest

from musespark.config import Config, ModelConfig
from musespark.events import AgentFailed
from musespark.models.fake import FakeModel, Hang
from musespark.models.model import TextDelta
from musespark.server.auth import KeyAuthenticator
from musespark.server.disclosure import Redactor
from musespark.server.state import ServerSettings
from musespark.store.database.database import Database
from musespark.store.keys.key_store import KeyStore
from musespark.store.runs.run_store import SqlRunStore

from .conftest import ABLE, live, says

ASK = {"model": "plain", "messages": [{"role": "user", "content": "What is 6 * 7?"}]}


def test_a_fault_of_the_store_shows_on_every_page_that_an_operator_watches(tmp_path, caplog):
    path = tmp_path / "runs.db"
    runs = SqlRunStore(Database(path))
    with live({"plain": FakeModel(says("42"), name="plain", abilities=ABLE)}, runs=runs) as server:

        def page(name):
            return httpx.get(f"{server.url}{name}", timeout=30)

        def asked(**muse):
            body = {"model": "plain", "messages": [{"role": "user", "content": "?"}], "muse": muse}
            return httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=30)

        def wait_for(status):
            end = time.monotonic() + 60
            while page("/health/ready").status_code != status:
                assert time.monotonic() < end
                time.sleep(0.02)

        assert asked().status_code == 200
        wait_for(200)
        assert "muse_store_up 1.0" in page("/metrics").text
        shutil.move(path, tmp_path / "aside")
        wait_for(503)
        assert page("/health/ready").json()["code"] == "missing"
        assert page("/health").json() == {"status": "degraded", "store": "missing"}
        assert page("/health").status_code == page("/health/live").status_code == 200
        metrics = page("/metrics").text
        assert "muse_store_up 0.0" in metrics
        assert 'muse_store_failures_total{fault="missing"} 0.0' not in metrics
        assert "its file is gone" in caplog.text
        refused = asked()
        assert refused.status_code == 503 and refused.json()["error"]["code"] == "cannot_be_kept"
        assert "the file of the store is gone" in refused.text and str(path) not in refused.text
        assert asked(store=False).status_code == 200
        shutil.move(tmp_path / "aside", path)
        wait_for(200)
        assert asked().status_code == 200 and "again" in caplog.text


def test_the_metrics_of_a_server_with_keys_can_be_read_while_its_store_is_gone(tmp_path):
    path = tmp_path / "runs.db"
    runs = SqlRunStore(Database(path))
    _, key = KeyStore(runs.database).create("ann")
    with (
        live({}, runs=runs, authenticate=KeyAuthenticator(runs)) as server,
        httpx.Client(base_url=server.url, headers={"x-api-key": key}, timeout=30) as client,
    ):
        assert "muse_store_up 1.0" in client.get("/metrics").text
        path.rename(tmp_path / "aside")
        end = time.monotonic() + 60
        while "muse_store_up 0.0" not in client.get("/metrics").text:
            assert time.monotonic() < end
        while client.get("/v1/runs").status_code != 503:
            assert time.monotonic() < end
        assert client.get("/metrics", headers={"x-api-key": "muse_else"}).status_code != 200


def test_a_client_with_a_key_is_not_told_where_the_backend_is_and_the_log_is(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("HOUSE_KEY", "sesame")
    monkeypatch.delenv("OTHER_KEY", raising=False)
    there = {"model": "openai-compatible:m", "base_url": "http://127.0.0.1:9/v1"}
    config = Config(
        models={
            "away": ModelConfig(**there, key_env="HOUSE_KEY"),
            "keyless": ModelConfig(**there, key_env="OTHER_KEY"),
        }
    )
    runs = SqlRunStore(Database(tmp_path / "runs.db"))
    _, key = KeyStore(runs.database).create("ann")
    with live({}, config=config, runs=runs, authenticate=KeyAuthenticator(runs)) as server:
        headers = {"authorization": f"Bearer {key}"}
        texts = []
        for model in ("away", "keyless", "contemplating/away"):
            for stream in (False, True):
                body = {**ASK, "model": model, "stream": stream}
                url = f"{server.url}/v1/chat/completions"
                texts.append(httpx.post(url, json=body, headers=headers, timeout=60).text)
        for page in ("/v1/models", "/v1/page", "/v1/runs"):
            texts.append(httpx.get(f"{server.url}{page}", headers=headers).text)
        for run in httpx.get(f"{server.url}/v1/runs", headers=headers).json()["data"]:
            texts.append(httpx.get(f"{server.url}/v1/runs/{run['id']}", headers=headers).text)
        for text in texts:
            assert ":9/v1" not in text and "127.0.0.1" not in text
            assert "HOUSE_KEY" not in text and "OTHER_KEY" not in text and "sesame" not in text
    assert "127.0.0.1:9" in caplog.text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("openai:m@http://me:pw@10.0.0.7:8000/v1 failed", "openai:m failed"),
        ("https://box.lan/v1 cannot be reached", "its server cannot be reached"),
        ("box.lan:8000 is not there", "its server is not there"),
        ("Connect call failed ('10.0.0.7', 8000)", "Connect call failed its server"),
        ("set OPENAI_API_KEY again", "set its variable again"),
        ("weights at '/srv/house/nano.safetensors'", "weights at 'a file of the server'"),
        ("no route to fd12:3456::a1%eth0.", "no route to its server."),
        (
            "2001:db8:0:0:1:0:0:1, ::1 and [fe80::1%eth0]:80 failed",
            "its server, its server and its server failed",
        ),
        (r"D:\models\llama.gguf is damaged", "a file of the server is damaged"),
        ("The ratio is 3/4 and 1.5.", "The ratio is 3/4 and 1.5."),
        ("At 12:30:45 std::vector was Bad::Value: 7", "At 12:30:45 std::vector was Bad::Value: 7"),
    ],
)
def test_addresses_variables_and_paths_are_left_out(said, shown):
    there = ModelConfig(model="openai-compatible:m", base_url="http://box.lan:8000/v1")
    redactor = Redactor(Config(models={"m": there}))
    assert redactor.text(said) == shown
    assert redactor.event(AgentFailed("A", "ModelFailed", said)).message == shown


def test_one_key_cannot_take_all_the_room_and_is_told_when_to_come_again(tmp_path):
    runs = SqlRunStore(Database(tmp_path / "runs.db"))
    keys = KeyStore(runs.database)
    (_, greedy), (_, modest) = keys.create("greedy"), keys.create("modest")
    models = {
        "hang": FakeModel([TextDelta("4"), Hang()], name="hang", abilities=ABLE),
        "plain": FakeModel(says("42"), name="plain", abilities=ABLE),
    }
    settings = ServerSettings(hosts=None, max_runs=6)
    with (
        live(models, runs=runs, authenticate=KeyAuthenticator(runs), settings=settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):

        def start(key):
            body = {"question": "?", "mode": "instant", "models": ["hang"]}
            return client.post("/v1/runs", json=body, headers={"x-api-key": key})

        started = [start(greedy) for _ in range(5)]
        assert [reply.status_code for reply in started] == [201] * 3 + [429] * 2
        assert started[-1].headers["retry-after"] == "1"
        assert started[-1].headers["x-should-retry"] == "true"
        reply = client.post("/v1/chat/completions", json=ASK, headers={"x-api-key": modest})
        assert reply.status_code == 200


def test_one_key_cannot_take_all_connections_by_watching(tmp_path):
    runs = SqlRunStore(Database(tmp_path / "runs.db"))
    keys = KeyStore(runs.database)
    (_, greedy), (_, modest) = keys.create("greedy"), keys.create("modest")
    models = {"hang": FakeModel([TextDelta("4"), Hang()], name="hang", abilities=ABLE)}
    settings = ServerSettings(hosts=None, max_runs=6)
    with (
        live(models, runs=runs, authenticate=KeyAuthenticator(runs), settings=settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):

        def watch(key, run):
            headers = {"x-api-key": key}
            request = client.build_request("GET", f"/v1/runs/{run}/events", headers=headers)
            reply = client.send(request, stream=True)
            if reply.status_code == 200:
                streams.append(reply.iter_raw())  # which would close it at its own end
                next(streams[-1])
            return reply

        def start(key):
            body = {"question": "?", "mode": "instant", "models": ["hang"]}
            return client.post("/v1/runs", json=body, headers={"x-api-key": key}).json()["id"]

        streams = []
        run = start(greedy)
        replies = [watch(greedy, run) for _ in range(5)]
        assert [reply.status_code for reply in replies] == [200] * 3 + [429] * 2
        assert replies[-1].headers["retry-after"] == "1"
        replies.append(watch(modest, start(modest)))
        assert replies[-1].status_code == 200
        for reply in replies:
            reply.close()
        deadline = time.monotonic() + 20
        while (again := watch(greedy, run)).status_code == 429:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        again.close()


def test_what_costs_nothing_and_what_is_refused_are_none_of_a_keys_limits(tmp_path):
    runs = SqlRunStore(Database(tmp_path / "runs.db"))
    keys = KeyStore(runs.database)
    (_, spent), (_, rare) = (
        keys.create("spent", usd_per_day=0.001),
        keys.create("rare", per_minute=1),
    )
    dear = replace(ABLE, usd_per_token=0.0001)
    models = {"plain": FakeModel(says("42"), name="plain", abilities=dear)}
    with (
        live(models, runs=runs, authenticate=KeyAuthenticator(runs)) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):

        def asked(key, path="/v1/chat/completions", **body):
            headers = {"x-api-key": key}
            return client.post(path, json={**ASK, **body}, headers=headers).status_code

        while asked(spent) == 200:
            pass
        assert asked(spent, "/v1/messages/count_tokens") == 200
        assert [asked(rare, model="nobody"), asked(rare, temperature="hot")] == [404, 400]
        assert asked(rare) == 200


def test_probes_ask_as_they_are_used_to():
    with live() as server, httpx.Client(base_url=server.url) as client:
        for page in ("/health", "/health/live", "/health/ready", "/metrics", "/v1/models", "/"):
            assert client.head(page).status_code == client.get(page).status_code
            assert client.head(page).content == b""
        assert _raw(server, b"GET /health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert _raw(server, b"GET /health HTTP/1.0\r\nhost: evil.example\r\n\r\n").startswith(
            b"HTTP/1.1 421"
        )


def _raw(server, request):
    import socket

    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def test_a_run_of_another_server_is_stopped_through_the_store(tmp_path):
    stores = [SqlRunStore(Database(tmp_path / "runs.db")) for _ in range(2)]
    hang = FakeModel([TextDelta("4"), Hang()], name="hang", abilities=ABLE)
    with live({"hang": hang}, runs=stores[0]) as one, live({"hang": hang}, runs=stores[1]) as two:
        body = {"question": "?", "mode": "instant", "models": ["hang"]}
        id = httpx.post(f"{one.url}/v1/runs", json=body, timeout=60).json()["id"]
        stopped = httpx.post(f"{two.url}/v1/runs/{id}/stop", timeout=60)
        assert stopped.status_code == 202
        end = time.monotonic() + 60
        while httpx.get(f"{two.url}/v1/runs/{id}", timeout=60).json()["status"] == "running":
            assert time.monotonic() < end
            time.sleep(0.02)
        assert httpx.post(f"{two.url}/v1/runs/{id}/stop", timeout=60).status_code == 409
