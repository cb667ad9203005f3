"""Keys whose limits change, that end, and that may ask some models and modes alone."""

import time

import httpx
import pytest

from musespark.models.fake import FakeModel
from musespark.models.model import Finish, TextDelta, UsageDelta
from musespark.server.auth import KeyAuthenticator
from musespark.store.database.database import Database
from musespark.store.keys.key_store import KeyStore
from musespark.store.runs.run_store import SqlRunStore
from musespark.usage import Usage

from .conftest import ABLE, live, says

DEAR = FakeModel(
    [TextDelta("42"), UsageDelta(Usage(tokens=10, usd=0.3)), Finish()], name="dear", abilities=ABLE
)
QUESTION = {"messages": [{"role": "user", "content": "What is 6 * 7?"}]}


@pytest.fixture
def keyed(tmp_path):
    """A server that asks for keys, and its keys."""
    database = Database(tmp_path / "runs.db")
    runs = SqlRunStore(database)
    models = {"plain": FakeModel(says("4", "2"), name="plain", abilities=ABLE), "dear": DEAR}
    with live(models, runs=runs, authenticate=KeyAuthenticator(runs)) as server:
        yield server, KeyStore(database)


def ask(server, secret, model="plain", path="chat/completions", **body):
    headers = {"authorization": f"Bearer {secret}"}
    url = f"{server.url}/v1/{path}"
    return httpx.post(url, json={"model": model, **QUESTION, **body}, headers=headers, timeout=30)


def listed(server, secret):
    headers = {"authorization": f"Bearer {secret}"}
    found = httpx.get(f"{server.url}/v1/models", headers=headers).json()
    return [each["id"] for each in found["data"]]


def until_status(status, *args, **options):
    """Ask until that is the status."""
    end = time.monotonic() + 20
    while ask(*args, **options).status_code != status:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_key_ends_when_its_time_is_over_and_can_be_given_more(keyed):
    server, keys = keyed
    _, secret = keys.create("ann", expires_in=3600)
    assert ask(server, secret).status_code == 200
    keys.change("ann", expires_in=1)
    until_status(401, server, secret)
    assert "has expired" in ask(server, secret).text
    keys.change("ann", expires_in=None)
    assert ask(server, secret).status_code == 200


def test_changed_limits_hold_on_a_server_that_runs(keyed):
    server, keys = keyed
    _, secret = keys.create("ann", usd_per_day=0.5, per_minute=1000)
    assert ask(server, secret, "dear").status_code == 200
    assert ask(server, secret, "dear").status_code == 200  # the price was not known in advance
    refused = ask(server, secret, "dear")
    assert refused.json()["error"]["code"] == "budget_exhausted"
    keys.change("ann", usd_per_day=5)
    until_status(200, server, secret, "dear")
    keys.change("ann", usd_per_day=0.7)
    until_status(429, server, secret, "dear")
    keys.change("ann", usd_per_day=None, per_minute=1)
    end = time.monotonic() + 20
    while ask(server, secret).json().get("error", {}).get("code") != "too_many_requests":
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_secret_before_counts_for_its_time_of_grace(keyed):
    server, keys = keyed
    _, first = keys.create("ann")
    assert ask(server, first).status_code == 200
    _, second, _ = keys.rotate("ann", grace=3600)
    assert [ask(server, each).status_code for each in (first, second)] == [200, 200]
    _, third, _ = keys.rotate("ann", grace=0)
    for lost in (first, second):
        until_status(401, server, lost)
    assert ask(server, third).status_code == 200


def test_a_key_is_shown_and_answered_by_its_models_alone(keyed):
    server, keys = keyed
    _, secret = keys.create("ann", models=("plain",))
    assert listed(server, secret) == ["plain", "thinking/plain", "contemplating/plain"]
    assert ask(server, secret).status_code == 200
    assert ask(server, secret, "contemplating/plain").status_code == 200
    for model in ("dear", "thinking/dear", "contemplating", "instant", "nano", "openai:gpt-5"):
        refused = ask(server, secret, model)
        assert refused.status_code == 404 and "choose one of: contempl" in refused.text
        assert "nano" not in refused.json()["error"]["message"].partition("choose")[2]
    for muse in ({"models": ["plain", "dear"]}, {"judge": "dear", "aggregate": "judge"}):
        assert ask(server, secret, "contemplating/plain", muse=muse).status_code == 404
    assert ask(server, secret, "dear", "messages", max_tokens=9).status_code == 404
    assert ask(server, secret, "dear", "messages/count_tokens").status_code == 404
    headers = {"authorization": f"Bearer {secret}"}
    assert httpx.get(f"{server.url}/v1/models/dear", headers=headers).status_code == 404
    page = httpx.get(f"{server.url}/v1/page", headers=headers).json()
    assert [each["id"] for each in page["models"]] == ["plain"]
    body = {"model": "dear", "input": "a"}
    url = f"{server.url}/v1/embeddings"
    assert httpx.post(url, json=body, headers=headers).status_code == 404


def test_a_key_asks_in_its_modes_alone(keyed):
    server, keys = keyed
    _, secret = keys.create("ann", models=("plain", "dear"), modes=("thinking",))
    assert listed(server, secret) == ["plain", "dear", "thinking/plain", "thinking/dear"]
    assert ask(server, secret, "thinking/plain").status_code == 200
    assert ask(server, secret, "contemplating/plain").status_code == 404
    assert ask(server, secret, reasoning_effort="none").status_code == 404
    keys.change("ann", modes=("contemplating",))
    until_status(404, server, secret)
    assert ask(server, secret, "contemplating/plain").status_code == 200
