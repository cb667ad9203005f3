"""Routes of runs refuse other sites, other callers and too many; a server that stops ends its runs."""

import httpx
import pytest
from server.conftest import live
from server.runs.routes.requests import IMAGE, ended, models, refused
from server.watchers import started, until, watched

from musespark.server.auth import KeyAuthenticator
from musespark.server.state import ServerSettings
from musespark.store.database.database import Database
from musespark.store.keys.key_store import KeyStore
from musespark.store.runs.run_store import SqlRunStore


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:1", 403),
        ("https://[", 403),
        ("own", 201),
        (None, 201),
    ],
)
def test_pages_of_other_sites_change_nothing(http, origin, status):
    own = str(http.base_url).rstrip("/")
    headers = {} if origin is None else {"origin": own if origin == "own" else origin}
    response = http.post("/v1/runs", json={"question": "What is 6 * 7?"}, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert http.post("/v1/runs/x/stop", headers=headers).status_code == 403
        assert http.delete("/v1/runs/x", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_forms_change_nothing(http, kind):
    for path in ("/v1/runs", "/v1/runs/x/stop"):
        response = http.post(
            path, content=b'{"question": "What is 6 * 7?"}', headers={"content-type": kind}
        )
        refused(response, 415, "JSON")


def test_only_so_many_at_once():
    with (
        live(models(), settings=ServerSettings(hosts=("127.0.0.1",), max_runs=2)) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        ids = [started(http, mode="thinking", models=["hang"]) for _ in range(2)]
        refused(
            http.post("/v1/runs", json={"question": "What is 6 * 7?"}),
            429,
            "limit of concurrent runs",
        )
        http.post(f"/v1/runs/{ids[0]}/stop")
        watched(http, ids[0])
        until(
            lambda: (
                http.post(
                    "/v1/runs", json={"question": "What is 6 * 7?", "models": ["plain"]}
                ).status_code
                == 201
            )
        )


def test_runs_are_their_own_callers_alone(tmp_path):
    database = Database(tmp_path / "runs.db")
    keys, runs = KeyStore(database), SqlRunStore(database)
    ann, bob = ({"authorization": f"Bearer {keys.create(name)[1]}"} for name in ("ann", "bob"))
    with (
        live(models(), runs=runs, authenticate=KeyAuthenticator(runs)) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        id = started(http, headers=ann, mode="thinking", models=["hang"], images=[IMAGE])
        for page in ("", "/events", "/asked/1", "/pictures/1", "/export"):
            refused(http.get(f"/v1/runs/{id}{page}"), 401)
            refused(http.get(f"/v1/runs/{id}{page}", headers=bob), 404, "no run")
        for method, page in (("POST", "/stop"), ("DELETE", "")):
            refused(http.request(method, f"/v1/runs/{id}{page}"), 401)
            refused(http.request(method, f"/v1/runs/{id}{page}", headers=bob), 404)
        for other in ("again", "follows"):
            refused(http.post("/v1/runs", json={"question": "x", other: id}, headers=bob), 404)
        refused(http.get("/v1/page"), 401)
        assert http.get("/v1/page", headers=bob).json()["auth"] is True
        assert http.get("/v1/runs", headers=bob).json()["data"] == []
        assert http.get("/").status_code in (200, 503)  # the page itself, which then asks for a key
        assert http.post(f"/v1/runs/{id}/stop", headers=ann).status_code == 202
        assert ended(http, id, **ann)["answer"] == "4"


def test_whoever_has_spent_their_day_may_still_stop_and_watch(tmp_path):
    database = Database(tmp_path / "runs.db")
    keys, runs = KeyStore(database), SqlRunStore(database)
    ann = {"authorization": f"Bearer {keys.create('ann', usd_per_day=0.5)[1]}"}
    with (
        live(models(), runs=runs, authenticate=KeyAuthenticator(runs)) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        hanging = started(http, headers=ann, mode="thinking", models=["hang"])
        for _ in range(2):
            until(
                lambda: (
                    http.post(
                        "/v1/runs",
                        json={"question": "x", "mode": "thinking", "models": ["dear"]},
                        headers=ann,
                    ).status_code
                    in (201, 429)
                )
            )
        until(
            lambda: (
                http.post(
                    "/v1/runs",
                    json={"question": "x", "mode": "thinking", "models": ["dear"]},
                    headers=ann,
                ).status_code
                == 429
            )
        )
        assert http.post(f"/v1/runs/{hanging}/stop", headers=ann).status_code == 202
        assert ended(http, hanging, **ann)["answer"] == "4"


@pytest.mark.parametrize(
    ("grace", "model", "how"),
    [(0.0, "hang", "interrupted"), (0.2, "hang", "interrupted"), (30.0, "slow", "finished")],
)
def test_a_server_that_stops_lets_runs_end_or_interrupts_them(tmp_path, grace, model, how):
    store = tmp_path / "runs.db"
    settings = ServerSettings(hosts=("127.0.0.1",), grace=grace)
    found = models()
    with (
        live(found, runs=SqlRunStore(Database(store)), settings=settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        id = started(http, mode="thinking", models=[model])
        until(lambda: found[model].running)
    assert not found[model].running
    with (
        live(found, runs=SqlRunStore(Database(store))) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        run = http.get(f"/v1/runs/{id}").json()
        assert run["how"] == how and run["answer"] == ("4" if how == "interrupted" else "42")
        assert watched(http, id)[-1][2]["how"] == how
