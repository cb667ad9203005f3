"""Data that an earlier version stored opens, lists, shows, replays and bills as it did then.

`data/` holds a database of runs and keys (tables 0003, its server killed while a run went on), a database of votes and a trace
folder. `data/expected.json.gz` holds what that version answered about them; answers may have more fields today, never other values.
"""

import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from musespark.reasoning.team.strategy import Strategy
from musespark.store import VoteStore
from musespark.trace import read_trace

from .serving import serving

DATA = Path(__file__).with_name("data")
SECRET = "muse_315d1899d3fb_d_I9vzzutZUupQL9dGU_ZBgSniWE1i93_ahxqlJSr04"
REVOKED = "muse_dc2c985db0d3_29eqZ2omGS3uqcsAqQAutI_DrOrucIqGkeGck-iADY0"
EXPECTED = json.loads(gzip.decompress((DATA / "expected.json.gz").read_bytes()))
INTERRUPTED = "daf4c16c0cd3491db10fd2d59922e8aa"
LONG_AGO = 1.0
"""When a server of the stored data was last seen, in seconds since 1970: it is dead, whatever the clock of this machine says."""


def unpacked(name, folder):
    """A stored database as a file of its own."""
    path = folder / name
    path.write_bytes(gzip.decompress((DATA / f"{name}.gz").read_bytes()))
    return path


def replayed(client, run):
    """The events of a run as the server sends them, up to the last."""
    events = []
    with client.stream("GET", f"/v1/runs/{run}/events") as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                events.append(json.loads(line[6:]))
    return events


def seen_by(client, runs):
    """Everything that a client can see of stored runs."""
    return {
        "listed": client.get("/v1/runs").json(),
        "shown": {run: client.get(f"/v1/runs/{run}").json() for run in runs},
        "replayed": {run: replayed(client, run) for run in runs},
        "pictures": {
            path: client.get(path).headers["content-type"]
            for run in runs
            for path in client.get(f"/v1/runs/{run}").json()["pictures"]
        },
        "asked": {run: client.get(f"/v1/runs/{run}/asked/1").status_code for run in runs},
        "responses": {
            run: client.get(f"/v1/responses/resp_{run}").json()
            for run in runs
            if client.get(f"/v1/responses/resp_{run}").status_code == 200
        },
    }


DEFAULTS = {"temperature": 1.0, "top_p": 1.0}
"""Fields of a response that were null where the request had none; the specification wants numbers."""
_ITEM = re.compile(r"^([a-z]+_[0-9a-f]{32})_\d+$")
"""Id of an item of a response. The items of a kind are numbered by themselves since they can be referred to by it."""


def is_part(expected, found):
    """True if everything expected is found; objects may have more fields than expected, and defaults in place of nulls."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found
            and (
                is_part(value, found[name]) or (value is None and found[name] == DEFAULTS.get(name))
            )
            for name, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(map(is_part, expected, found))
        )
    if isinstance(expected, str) and isinstance(found, str):
        return _ITEM.sub(r"\1", expected) == _ITEM.sub(r"\1", found)
    return expected == found


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of `muse serve` on the stored runs, which are billed to today."""
    folder = tmp_path_factory.mktemp("stored")
    path = unpacked("runs.db", folder)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE shares SET day = ?", (time.strftime("%Y-%m-%d", time.gmtime()),))
        connection.execute("UPDATE servers SET seen = ?, place = 'another machine'", (LONG_AGO,))
    with (
        serving(folder, "--store", str(path), "--require-key") as (_, url),
        httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {SECRET}"}, timeout=60
        ) as client,
    ):
        client.store = path
        yield client


@pytest.fixture(scope="module")
def seen(client):
    """Everything the client sees of the runs, before a test adds another."""
    return seen_by(client, [run["id"] for run in client.get("/v1/runs").json()["data"]])


@pytest.mark.parametrize("part", ["listed", "shown", "replayed", "pictures", "asked", "responses"])
def test_runs_are_seen_as_they_were(seen, part):
    assert is_part(EXPECTED[part], seen[part])


def test_a_run_whose_server_was_killed_is_interrupted(client):
    run = client.get(f"/v1/runs/{INTERRUPTED}").json()
    assert run["how"] == "interrupted"


def test_a_conversation_goes_on(client):
    follows = next(iter(EXPECTED["responses"]))
    answer = client.post(
        "/v1/responses",
        json={"model": "quick", "input": "Once more?", "previous_response_id": f"resp_{follows}"},
    )
    assert answer.status_code == 200, answer.text


def test_keys_open_what_they_opened(client):
    assert client.get("/v1/models").status_code == 200
    revoked = client.get("/v1/models", headers={"authorization": f"Bearer {REVOKED}"})
    assert revoked.status_code == 401


def test_what_was_spent_today_is_billed(client):
    listed = subprocess.run(
        [sys.executable, "-m", "musespark", "keys", "list", "--store", str(client.store)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout
    ann = next(line for line in listed.splitlines() if "  ann  " in line)
    assert "$0.3400 today, of $5, 600 a minute" in ann
    assert "  old  " in listed and "revoked 2026-11-30" in listed


def test_votes_and_strategies_are_read(tmp_path):
    with VoteStore(unpacked("votes.db", tmp_path)) as store:
        assert [
            (vote.question, vote.model, vote.group, vote.right) for vote in store.votes("sums")
        ] == [("q1", "a", "4", True), ("q1", "b", None, False), ("q2", "a", "x", None)]
        strategy = Strategy.from_json(store.strategy("sums", "a"))
    assert strategy.options == {
        "approach": "plain",
        "temperature": 0.7,
        "rounds": 1,
        "judge_ties": True,
        "reply_tokens": (10, 20, 30),
        "because": "It was measured.",
    }


def test_a_trace_is_read(tmp_path):
    folder = tmp_path / "trace"
    shutil.copytree(DATA / "trace", folder)
    events = [event.to_json() for event in read_trace(folder)]
    lines = [
        json.loads(line) for line in (DATA / "trace" / "events.jsonl").read_text().splitlines()
    ]
    assert len(events) == 36
    for event, line in zip(events, lines, strict=True):
        line.pop("picture", None)
        assert is_part(line, event)
