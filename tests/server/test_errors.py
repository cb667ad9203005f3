"""What goes wrong, as a status: that of a team is that of its agents, where all of them failed for the same reason."""

from contextlib import contextmanager

import httpx
import pytest

from musespark.errors import (
    AllFailed,
    BudgetExhausted,
    BudgetReserved,
    MissingKey,
    ModelFailed,
    RateLimited,
)
from musespark.models.fake import Crash, FakeModel, Hang, Wait
from musespark.server.errors import error_reply
from musespark.store.database.database import Database
from musespark.store.runs.run_store import SqlRunStore

from .conftest import ABLE, live, says

TOKENS, SLOW, BUSY = (
    BudgetExhausted("tokens", 5),
    BudgetExhausted("seconds", 1),
    RateLimited("m", "it is busy", 7),
)


@pytest.mark.parametrize(
    ("errors", "status", "code", "retry_after"),
    [
        ([TOKENS, TOKENS], 429, "budget_exhausted", None),
        ([SLOW], 504, "deadline", None),
        ([BUSY, BUSY], 429, "rate_limited", 7),
        ([BudgetReserved("usd a day", 1, 0.9)], 429, "budget_reserved", 1),
        ([MissingKey("m", "KEY")] * 2, 503, "not_set_up", None),
        ([ModelFailed("m", "it broke")], 502, "model_failed", None),
        ([TOKENS, BUSY], 502, "model_failed", None),
        ([], 502, "model_failed", None),
    ],
)
def test_a_team_fails_as_its_agents_do(errors, status, code, retry_after):
    error = AllFailed(
        {f"agent-{number}": str(error) for number, error in enumerate(errors, 1)}, errors
    )
    failure = error_reply(error)
    assert (failure.status, failure.code, failure.retry_after) == (status, code, retry_after)
    reasons = {str(error) for error in errors}
    assert failure.message == (reasons.pop() if len(reasons) == 1 else str(error))


def test_a_team_without_money_or_time_is_told_so():
    busy = FakeModel(
        [Wait(0.0), Crash(RateLimited("busy", "it has much to do", 61))],
        name="busy",
        abilities=ABLE,
    )
    with live({"busy": busy}) as server:

        def asked(**muse):
            body = {
                "model": "contemplating/busy",
                "messages": [{"role": "user", "content": "What is 6 * 7?"}],
                "muse": muse,
            }
            return httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=30)

        refused = asked(budget={"tokens": 1})
        assert refused.status_code == 429 and refused.json()["error"]["code"] == "budget_exhausted"
        assert refused.json()["error"]["message"].count("is used up") == 1  # not once an agent
        refused = asked()
        assert refused.status_code == 429 and refused.json()["error"]["code"] == "rate_limited"
        assert (
            refused.headers["x-should-retry"] == "true" and refused.headers["retry-after"] == "61"
        )


class Full(Database):
    """A database to which nothing more can be added, at times."""

    full = False

    @contextmanager
    def raw_cursor(self):
        if self.full:
            raise self.error_for(OSError(28, "the disk is full"))
        with super().raw_cursor() as cursor:
            yield cursor


WAYS = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "q"}]},
    "/v1/responses": {"input": "q"},
    "/v1/messages": {"messages": [{"role": "user", "content": "q"}], "max_tokens": 50},
}


def test_a_stream_that_cannot_be_kept_ends_while_its_model_still_thinks(tmp_path):
    models = {
        name: FakeModel(script, name=name, abilities=ABLE)
        for name, script in (("mute", [Hang()]), ("plain", says("42")))
    }
    runs = SqlRunStore(database := Full(tmp_path / "runs.db"))
    with live(models, runs=runs) as server:
        for path, body in WAYS.items():

            def asked(model, path=path, body=body):
                return httpx.post(
                    f"{server.url}{path}", json={**body, "model": model, "stream": True}, timeout=20
                )

            database.full = True
            refused = asked("mute")
            assert (
                refused.status_code == 503
                and "the disk is full" in refused.text
                and not server.running("mute")
            )
            database.full = False
            assert asked("plain").status_code == 200
            assert (
                httpx.get(f"{server.url}/v1/runs/{refused.headers['x-muse-run']}").status_code
                == 404
            )
        assert {run["how"] for run in httpx.get(f"{server.url}/v1/runs").json()["data"]} == {
            "finished"
        }
