"""Who may ask a server that has keys: the statuses of both houses' clients, limits, and whose runs are whose."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from musespark.answer import collect
from musespark.content import Request
from musespark.errors import BudgetExhausted, BudgetReserved
from musespark.models.fake import FakeModel, Hang, Wait
from musespark.models.model import Finish, TextDelta, UsageDelta
from musespark.reasoning.call_policy import CallPolicy
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.server.app import make_app
from musespark.server.auth import KeyAuthenticator
from musespark.server.state import Caller, ServerSettings
from musespark.store.database.database import Database
from musespark.store.keys.budgets import KeyBudgets, KeyBudgetSettings
from musespark.store.keys.key_store import KeyStore
from musespark.store.runs.run_store import SqlRunStore
from musespark.usage import Usage

from .conftest import ABLE, live, says

ASK = {"model": "plain", "messages": [{"role": "user", "content": "What is 6 * 7?"}]}
DEAR = FakeModel(
    [TextDelta("42"), UsageDelta(Usage(tokens=10, usd=0.3)), Finish()], name="dear", abilities=ABLE
)


@pytest.fixture
def keyed(tmp_path):
    """A server that asks for keys, and a way to make and revoke them."""
    database = Database(tmp_path / "runs.db")
    keys = KeyStore(database)
    runs = SqlRunStore(database)
    models = {"plain": FakeModel(says("4", "2"), name="plain", abilities=ABLE), "dear": DEAR}
    with live(models, runs=runs, authenticate=KeyAuthenticator(runs)) as server:
        yield server, keys


def asked(server, key=None, path="/v1/chat/completions", **body):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.post(f"{server.url}{path}", json={**ASK, **body}, headers=headers, timeout=30)


def test_nobody_asks_without_a_good_key(keyed):
    server, keys = keyed
    _, key = keys.create("ann")
    for wrong in (None, "sk-something", key[:-1] + "!", key + key):
        refused = asked(server, wrong)
        assert refused.status_code == 401 and refused.json()["error"]["code"] == "invalid_api_key"
        assert key not in refused.text and (wrong or "nothing") not in refused.text
    for page in ("/v1/models", "/v1/runs", "/metrics", "/v1/runs/x"):
        assert httpx.get(f"{server.url}{page}").status_code == 401
        assert httpx.get(f"{server.url}{page}", headers={"x-api-key": key}).status_code in (
            200,
            404,
        )
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert asked(server, key).json()["choices"][0]["message"]["content"] == "42"
    keys.revoke("ann")
    end = time.monotonic() + 10
    while asked(server, key).status_code == 200:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_no_protocol_answers_without_a_key(keyed):
    server, keys = keyed
    _, key = keys.create("ann")
    paths = ["chat/completions", "completions", "responses", "responses/compact"]
    paths += ["responses/input_tokens", "messages", "messages/count_tokens", "embeddings", "runs"]
    for path in (f"/v1/{path}" for path in paths):
        assert httpx.post(f"{server.url}{path}", json={}).status_code == 401
        with_key = {"authorization": f"Bearer {key}"}
        assert httpx.post(f"{server.url}{path}", json={}, headers=with_key).status_code == 400
    for path in ("responses/x", "responses/x/input_items"):
        assert httpx.get(f"{server.url}/v1/{path}").status_code == 401
    address = server.url.replace("http", "ws") + "/v1/responses"
    with pytest.raises(InvalidStatus) as refused, connect(address):
        pass
    assert refused.value.response.status_code == 401


def test_a_response_is_its_own_keys_alone_however_it_is_named(keyed):
    server, keys = keyed
    (_, ann), (_, ben) = keys.create("ann"), keys.create("ben")
    body = {"model": "plain", "input": "What is 6 * 7?"}
    owner, stranger = ({"authorization": f"Bearer {key}"} for key in (ann, ben))
    url = f"{server.url}/v1/responses"
    made = httpx.post(url, json=body, headers=owner).json()
    mine = httpx.get(f"{url}/{made['id']}/input_items", headers=owner).json()["data"]
    items = [
        mine[0]["id"],
        next(item["id"] for item in made["output"] if item["type"] == "message"),
    ]
    again = {"role": "user", "content": "And now?"}
    named = [
        *({**body, "input": [{"type": "item_reference", "id": id}, again]} for id in items),
        {**body, "previous_response_id": made["id"]},
    ]
    for path in ("", "/compact", "/input_tokens"):
        for each in named:
            sent = {"json": each, "timeout": 30}
            assert httpx.post(f"{url}{path}", headers=owner, **sent).status_code == 200
            assert httpx.post(f"{url}{path}", headers=stranger, **sent).status_code in (400, 404)
    for path in ("", "/input_items"):
        assert httpx.get(f"{url}/{made['id']}{path}", headers=stranger).status_code == 404
    assert httpx.delete(f"{url}/{made['id']}", headers=stranger).status_code == 404
    run = made["id"].removeprefix("resp_")
    stop = httpx.post(f"{server.url}/v1/runs/{run}/stop", headers=stranger)
    assert stop.status_code == 404
    assert httpx.get(f"{url}/{made['id']}", headers=owner).status_code == 200


async def test_requests_that_wait_for_their_budget_together_do_not_exceed_the_limit_of_runs():
    waiting = 0
    everyone = asyncio.Event()

    async def admit():
        nonlocal waiting
        waiting += 1
        if waiting == 2:
            everyone.set()
        await everyone.wait()

    async def authenticate(http):
        return Caller("ann", admit=admit)

    hang = FakeModel([TextDelta("4"), Hang()], name="plain", abilities=ABLE)
    settings = ServerSettings(max_runs=1)
    app = make_app(models={"plain": hang}, authenticate=authenticate, settings=settings)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        asking = [
            asyncio.create_task(http.post("/v1/chat/completions", json=ASK)) for _ in range(2)
        ]
        done, rest = await asyncio.wait(asking, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result().status_code for task in done] == [429] and len(rest) == 1
        for task in rest:
            task.cancel()
        await asyncio.wait(rest)


def test_the_clients_of_both_houses_understand(keyed):
    import anthropic
    import openai

    server, keys = keyed
    _, key = keys.create("ann", per_minute=1000)
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(**ASK)
    with anthropic.Anthropic(base_url=server.url, api_key=key, max_retries=0) as client:
        assert client.messages.create(max_tokens=9, **ASK).content[-1].text == "42"
    with (
        anthropic.Anthropic(base_url=server.url, api_key="wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.messages.create(max_tokens=9, **ASK)


def test_runs_are_their_own(keyed):
    server, keys = keyed
    (_, ann), (_, bob) = keys.create("ann"), keys.create("bob")
    run = asked(server, ann).headers["x-muse-run"]
    for key, status, number in ((ann, 200, 1), (bob, 404, 0)):
        headers = {"x-api-key": key}
        assert httpx.get(f"{server.url}/v1/runs/{run}", headers=headers).status_code == status
        assert len(httpx.get(f"{server.url}/v1/runs", headers=headers).json()["data"]) == number
    first = httpx.post(
        f"{server.url}/v1/responses",
        json={"model": "plain", "input": "Hi."},
        headers={"x-api-key": ann},
    ).json()
    body = {"model": "plain", "input": "And?", "previous_response_id": first["id"]}
    for key, status in ((bob, 400), (ann, 200)):
        assert (
            httpx.post(
                f"{server.url}/v1/responses", json=body, headers={"x-api-key": key}
            ).status_code
            == status
        )


async def test_rates_and_budgets_hold_however_many_ask_at_once(keyed):
    server, keys = keyed
    _, often = keys.create("often", per_minute=7)
    _, poor = keys.create("poor", usd_per_day=1)
    async with httpx.AsyncClient(timeout=60) as http:

        async def ask(key, model):
            return await http.post(
                f"{server.url}/v1/chat/completions",
                json={**ASK, "model": model},
                headers={"authorization": f"Bearer {key}"},
            )

        while time.time() % 60 > 50:  # within one minute
            await asyncio.sleep(1)
        replies = await asyncio.gather(*(ask(often, "plain") for _ in range(30)))
        assert sorted(reply.status_code for reply in replies) == [200] * 7 + [429] * 23
        refused = next(reply for reply in replies if reply.status_code == 429)
        assert (
            1 <= int(refused.headers["retry-after"]) <= 60
            and "7 requests a minute" in refused.json()["error"]["message"]
        )
        while (reply := await ask(poor, "dear")).status_code == 200:
            pass
        assert reply.status_code == 429 and reply.json()["error"]["code"] == "budget_exhausted"
        assert reply.headers["x-should-retry"] == "false"
    async with asyncio.timeout(10):
        while dict((key.name, spent) for key, spent in keys.list_with_spending())["poor"] < 1:
            await asyncio.sleep(0.05)
    # What a call costs is known when it has ended: the last one that began within the limit is paid in full.
    assert 1 <= dict((key.name, spent) for key, spent in keys.list_with_spending())["poor"] < 1.3


def test_what_is_not_to_be_stored_is_in_no_table(tmp_path):
    runs = SqlRunStore(Database(tmp_path / "runs.db"))
    with live(
        {"plain": FakeModel(says("sesame"), name="plain", abilities=ABLE)}, runs=runs
    ) as server:
        body = {"messages": [{"role": "user", "content": "Open, rhubarb!"}], "model": "plain"}
        assert asked(server, **body, muse={"store": False}).status_code == 200
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"sesame" not in kept and b"rhubarb" not in kept
        assert asked(server, **body).status_code == 200
        assert b"rhubarb" in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_budget_in_dollars_is_not_spent_on_what_nobody_knows_the_price_of(tmp_path, monkeypatch):
    from musespark.config import Config, ModelConfig

    monkeypatch.setenv("KEY_OF_A_TEST", "sesame")
    runs = SqlRunStore(Database(tmp_path / "runs.db"))
    keys = KeyStore(runs.database)
    (_, poor), (_, free) = keys.create("poor", usd_per_day=1), keys.create("free")
    there = {
        "model": "openai:no-such-model",
        "base_url": "http://127.0.0.1:9/v1",
        "key_env": "KEY_OF_A_TEST",
    }
    config = Config(
        models={
            "new": ModelConfig(**there),
            "known": ModelConfig(**there, prices={"prompt": 1.0, "written": 2.0}),
        }
    )
    with live({}, config=config, runs=runs, authenticate=KeyAuthenticator(runs)) as server:
        for model in ("new", "thinking/new", "contemplating/new"):
            refused = asked(server, poor, model=model).json()["error"]
            assert refused["code"] == "no_price" and "prices" in refused["message"]
        for key, model in ((poor, "known"), (free, "new")):
            assert (
                asked(server, key, model=model).json()["error"]["code"] == "model_failed"
            )  # nobody is there


@asynccontextmanager
async def keyed_client(database, models, call_policy, **patience):
    """A client with a key of a dollar a day, and the server that asks for the key."""
    runs = SqlRunStore(Database(database))
    _, key = KeyStore(runs.database).create("poor", usd_per_day=1)
    settings = ServerSettings(call_policy=call_policy)
    looks = KeyBudgetSettings(poll_interval=0.05, **patience)
    with live(
        models, runs=runs, settings=settings, authenticate=KeyAuthenticator(runs, budgets=looks)
    ) as server:
        async with httpx.AsyncClient(
            timeout=60, base_url=server.url, headers={"authorization": f"Bearer {key}"}
        ) as http:
            yield http


async def test_a_small_budget_does_not_keep_calls_from_being_asked_side_by_side(tmp_path):
    dear = replace(
        ABLE, usd_per_token=0.001, usd_per_prompt_token=0.0001
    )  # all that it may write: $100
    slow = FakeModel(
        [Wait(0.3), TextDelta("42"), UsageDelta(Usage(tokens=5, usd=0.005)), Finish()],
        name="slow",
        abilities=dear,
    )
    hang = FakeModel([TextDelta("4"), Hang()], name="hang", abilities=dear)
    models = {"slow": slow, "hang": hang}
    patient, hasty = CallPolicy(retries_reserved=9), CallPolicy(pause=0.01)
    async with keyed_client(tmp_path / "together.db", models, patient, max_polls=1000) as http:
        ask = {**ASK, "model": "slow"}
        replies = await asyncio.gather(
            *(http.post("/v1/chat/completions", json=ask) for _ in range(8))
        )
        assert [reply.status_code for reply in replies] == [200] * 8
        assert max(request.max_tokens for request in slow.requests) <= 500
    async with keyed_client(tmp_path / "held.db", models, hasty, max_polls=10) as http:
        hanging = asyncio.create_task(
            http.post("/v1/chat/completions", json={**ASK, "model": "hang", "max_tokens": 950})
        )
        while not hang.requests:
            await asyncio.sleep(0.01)
        longer = {
            "model": "slow",
            "messages": [{"role": "user", "content": "x" * 2000}],
            "max_tokens": 90,
        }
        for path in ("/v1/chat/completions", "/v1/messages"):
            refused = await http.post(path, json=longer)
            assert (
                refused.status_code == 429 and "reserved 0.95" in refused.json()["error"]["message"]
            )
            assert (
                refused.headers["retry-after"] == "1"
                and refused.headers["x-should-retry"] == "true"
            )
        hanging.cancel()
        await asyncio.wait([hanging])
        again = await http.post("/v1/chat/completions", json={**ASK, "model": "slow"})
        assert again.status_code == 200


@pytest.mark.parametrize(("cost", "answered"), [(0.08, [12]), (1, range(1, 12))])
async def test_dear_calls_of_one_key_in_the_same_moment_take_turns_and_never_overspend(
    tmp_path, cost, answered
):
    priced = replace(ABLE, usd_per_token=0.001)  # all that it may write: $100

    def written(request, number):
        spent = min(cost, request.max_tokens * priced.usd_per_token)
        return [Wait(0.05), TextDelta("42"), UsageDelta(Usage(tokens=5, usd=spent)), Finish()]

    dear = FakeModel(written, name="dear", abilities=priced)
    team = Team(explorers=(dear,), call_policy=CallPolicy(pause=0.05))
    runs = SqlRunStore(Database(tmp_path / "runs.db"))
    key, _ = KeyStore(runs.database).create("poor", usd_per_day=1)
    async with runs.open():
        keyed = KeyBudgets(runs)
        budgets = [(await keyed.budget_of(key)).child() for _ in range(12)]

        async def ask(budget):
            try:
                answer = await collect(run(team, Request.of("Why?", mode="thinking"), budget))
            except BudgetExhausted as error:
                assert not isinstance(error, BudgetReserved)  # it was spent, and not only held
                return None
            return answer.usage.usd

        spent = [usd for usd in await asyncio.gather(*map(ask, budgets)) if usd is not None]
        assert len(spent) in answered
    [(_, listed)] = KeyStore(runs.database).list_with_spending()
    assert listed == pytest.approx(sum(spent)) and listed <= 1
