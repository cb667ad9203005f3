"""Watching: whatever a client misses is told again, nothing twice, and nobody who is slow holds anything up."""

import asyncio
import json
import socket
import threading
from contextlib import aclosing

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from server.conftest import ABLE, live, says
from server.watchers import messages, started, talking, until, watched

from musespark.content import Message
from musespark.events import MAIN, Pictured, RunStarted, Thought
from musespark.models.fake import DOT, FakeModel, Hang
from musespark.models.model import Finish, TextDelta, ThinkingDelta
from musespark.server.http.event_stream import StreamTiming
from musespark.server.runs import live_runs
from musespark.server.runs.live_runs import LiveRuns, WatchSettings
from musespark.server.runs.run_store import MemoryRunStore
from musespark.server.state import ServerSettings
from musespark.store.database.database import Database
from musespark.store.runs.record import RunCost, RunHeader
from musespark.store.runs.run_store import SqlRunStore

WATCHED = {
    "talkative": FakeModel(talking(), name="talkative", abilities=ABLE),
    "hang": FakeModel([TextDelta("4"), Hang()], name="hang", abilities=ABLE),
    "wordy": FakeModel(
        [*[ThinkingDelta("x" * 5000)] * 1200, TextDelta("42"), Finish()],
        name="wordy",
        abilities=ABLE,
    ),
    "plain": FakeModel(says("4", "2"), name="plain", abilities=ABLE),
}


@pytest.fixture(scope="module", params=["memory", "database"])
def http(request, tmp_path_factory):
    """A server with models to watch, over both kinds of store."""
    kept = tmp_path_factory.mktemp("runs") / "runs.db"
    runs = MemoryRunStore() if request.param == "memory" else SqlRunStore(Database(kept))
    with live(WATCHED, runs=runs) as found, httpx.Client(base_url=found.url, timeout=60) as client:
        yield client


def told(http, id):
    """The run's events as the server tells them whole."""
    return http.get(f"/v1/runs/{id}").json()["events"]


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(1, 9000), max_size=5))
def test_a_client_that_is_cut_off_anywhere_sees_everything_once(http, cuts):
    id = started(http, mode="thinking", models=["talkative"])
    seen = watched(http, id, cuts)
    *events, (no_id, last, ending) = seen
    assert [data for _, _, data in events] == told(http, id)
    assert [int(number) for number, _, _ in events] == list(range(len(events)))
    assert all(kind == data["kind"] for _, kind, data in events)
    assert (no_id, last, ending["how"], ending["spent"]["tokens"]) == (None, "end", "finished", 31)
    assert watched(http, id, cuts) == seen  # the same after it has ended
    images = [data["picture"] for _, kind, data in events if kind == "pictured"]
    assert images == [f"/v1/runs/{id}/pictures/{number}" for number in (1, 2, 3)]
    shown = http.get(images[2])
    assert shown.content == DOT and shown.headers["content-type"] == "image/png"


def test_a_client_may_begin_anywhere(http):
    id = started(http, mode="thinking", models=["plain"])
    whole = watched(http, id)
    for after in range(-1, len(whole) + 2):
        raw = http.get(f"/v1/runs/{id}/events?after={after}").content
        assert messages(raw) == [*whole[:-1][after + 1 :], whole[-1]]
    # What a browser repeats counts more than the address it began with.
    raw = http.get(f"/v1/runs/{id}/events?after=0", headers={"last-event-id": "3"}).content
    assert messages(raw) == whole[4:]


def test_many_watch_the_same_run(http):
    id = started(http, mode="thinking", models=["talkative"])
    seen = {}

    def look(number):
        seen[number] = watched(http, id, [number * 700] * number)

    threads = [threading.Thread(target=look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen[0] == seen[1] == seen[2] == seen[3] and len(seen[0]) > 60


def test_a_watcher_that_does_not_read_holds_nobody_up(http):
    id = started(http, mode="thinking", models=["wordy"])
    host, port = http.base_url.host, http.base_url.port
    with socket.socket() as idle:
        idle.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000
        )  # with what the sender's side may hold, less than all of it
        idle.settimeout(60)
        idle.connect((host, port))
        idle.sendall(
            f"GET /v1/runs/{id}/events HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode()
        )
        until(lambda: http.get("/v1/runs?limit=1").json()["data"][0]["how"] == "finished")
        pieces = []
        while piece := idle.recv(1_000_000):  # and may still read all of it
            pieces.append(piece)
    raw = b"".join(pieces)
    assert raw.count(b'"kind":"thought"') == 1200 and b'event: end\ndata: {"how":"finished"' in raw


def test_silence_is_broken_by_a_comment():
    timing = StreamTiming(keep_alive=0.05)
    with (
        live(WATCHED, settings=ServerSettings(stream=timing)) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        id = started(http, mode="thinking", models=["hang"])
        with http.stream("GET", f"/v1/runs/{id}/events") as response:
            assert (
                response.headers["content-type"].startswith("text/event-stream")
                and response.headers["cache-control"] == "no-store"
            )
            comments = (line for line in response.iter_lines() if line.startswith(":"))
            assert [next(comments), next(comments)] == [": still here"] * 2
        http.post(f"/v1/runs/{id}/stop")


def test_whoever_leaves_leaves_the_run_alone(http):
    id = started(http, mode="thinking", models=["talkative"])
    with http.stream("GET", f"/v1/runs/{id}/events") as response:
        next(response.iter_bytes())
    until(lambda: http.get(f"/v1/runs/{id}").json()["status"] != "running")
    assert http.get(f"/v1/runs/{id}").json()["answer"] == "42"


def test_a_run_of_another_protocol_is_watched_likewise(http):
    body = {
        "model": "talkative",
        "messages": [{"role": "user", "content": "What is 6 * 7?"}],
        "stream": True,
    }
    with http.stream("POST", "/v1/chat/completions", json=body) as response:
        id = response.headers["x-muse-run"]
        pieces = response.iter_bytes()
        next(pieces)
        seen = []
        watcher = threading.Thread(target=lambda: seen.extend(watched(http, id)))
        watcher.start()
        for _ in pieces:
            pass
        watcher.join(60)
    assert [data for _, _, data in seen[:-1]] == told(http, id)


def test_a_run_that_goes_on_elsewhere_is_followed_in_the_database(tmp_path):
    shared = tmp_path / "runs.db"
    often = ServerSettings(watch=WatchSettings(poll_interval=0.05))
    servers = [live(WATCHED, runs=SqlRunStore(Database(shared)), settings=often) for _ in range(2)]
    with (
        servers[0] as here,
        servers[1] as there,
        httpx.Client(base_url=here.url) as one,
        httpx.Client(base_url=there.url) as other,
    ):
        id = started(one, mode="thinking", models=["talkative"])
        seen = watched(other, id)
        assert [data for _, _, data in seen[:-1]] == told(one, id)
        hanging = started(one, mode="thinking", models=["hang"])
        assert other.post(f"/v1/runs/{hanging}/stop").status_code == 202
        assert watched(other, hanging)[-1][2]["how"] == "finished"


@pytest.mark.parametrize("page", ["events", "stop", "asked/1", "export", "pictures/1", ""])
def test_ids_that_mean_no_good(http, page):
    method = "POST" if page == "stop" else "GET"
    for id in (
        "x",
        "..",
        "%2e%2e",
        "a/b",
        "a%00b",
        "x" * 200,
        "'; DROP TABLE runs; --",
        "%F0%9F%98%80",
        "-",
    ):
        response = http.request(method, f"/v1/runs/{id}/{page}".rstrip("/"))
        assert response.status_code in (400, 404, 405) and response.json()["error"][
            "message"
        ].endswith(".")


@pytest.mark.parametrize("last", ["-1", "1.5", "abc", "9" * 39, "٣", "0x1"])
def test_a_last_event_id_that_is_none(http, last):
    id = started(http, mode="thinking", models=["plain"])
    response = http.get(f"/v1/runs/{id}/events", headers={"last-event-id": last.encode()})
    assert response.status_code == 400 and response.json()["error"]["param"]


# The store with its watchers, step by step: any bursts, any beginnings, any slowness.


def event(number):
    if number == 0:
        return RunStarted("r", "thinking", "m", "q", seq=0)
    return (
        Pictured(MAIN, DOT, "a dot", 1, 1, seq=number)
        if number % 7 == 3
        else Thought(MAIN, f"thought {number}", seq=number)
    )


async def looked_on(runs, after, lag):
    """What somebody sees who begins there and takes so long over each piece."""
    seen = b""
    async with aclosing(runs.watch("r", after)) as frames:
        async for each in frames:
            seen += each
            for _ in range(lag):
                await asyncio.sleep(0)
    return messages(seen)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    bursts=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    ahead=st.sampled_from([1, 500, 10**6]),
    who=st.lists(
        st.tuples(st.integers(0, 14), st.integers(-1, 60), st.integers(0, 9)),
        min_size=1,
        max_size=5,
    ),
)
async def test_every_watcher_sees_all_from_where_they_begin(bursts, ahead, who):
    runs = LiveRuns(MemoryRunStore(), WatchSettings(buffer_bytes=ahead))
    count, looking = 0, []
    await runs.start(
        RunHeader(id="r", protocol="page", model="m", conversation=(Message.user("q"),))
    )
    for step, burst in enumerate([*bursts, 0, 0, 0]):
        looking += [
            asyncio.create_task(looked_on(runs, after, lag))
            for when, after, lag in who
            if when == step
        ]
        if burst:
            await runs.append_events("r", [event(number) for number in range(count, count + burst)])
            count += burst
        await asyncio.sleep(0)
    runs.end("r", "finished", RunCost())
    looking += [
        asyncio.create_task(looked_on(runs, after, lag))
        for when, after, lag in who
        if when >= len(bursts) + 3
    ]
    whole = messages(b"".join([frame async for frame in runs.watch("r")]))
    assert [int(number) for number, _, _ in whole[:-1]] == list(range(count))
    afters = [
        after for when, after, _ in sorted(who, key=lambda each: min(each[0], len(bursts) + 3))
    ]
    for after, task in zip(afters, looking, strict=True):
        assert await task == [
            message for message in whole if message[0] is None or int(message[0]) > after
        ]
    assert not runs._live


async def test_who_is_up_to_date_asks_the_store_for_nothing(monkeypatch):
    store, asked = MemoryRunStore(), []

    async def told(id, after, limit, answer=store.events_json):
        asked.append(after)
        return await answer(id, after, limit)

    monkeypatch.setattr(store, "events_json", told)
    runs = LiveRuns(store)
    await runs.start(
        RunHeader(id="r", protocol="page", model="m", conversation=(Message.user("q"),))
    )
    frames = runs.watch("r")
    for number in range(50):
        more = asyncio.create_task(anext(frames))
        await asyncio.sleep(0)
        await runs.append_events("r", [event(number)])
        assert messages(await more)[0][0] == str(number)
    assert not asked
    await frames.aclose()


async def test_what_waits_for_watchers_is_bounded():
    runs = LiveRuns(MemoryRunStore())
    await runs.start(
        RunHeader(id="r", protocol="page", model="m", conversation=(Message.user("q"),))
    )
    await runs.append_events("r", [event(0)])
    frames = runs.watch("r")
    assert messages(await anext(frames))[0][1] == "run_started"
    for number in range(1, 300):
        await runs.append_events("r", [Thought(MAIN, "x" * 20_000, seq=number)])
    one = runs._live["r"]
    assert (
        one._size <= runs.settings.buffer_bytes
        and one._size == sum(map(len, one._frames))
        and one._frames
    )
    rest = [await anext(frames) for _ in range(2)]
    assert len(messages(b"".join(rest))) == 299
    await frames.aclose()
    assert one._size == 0 and not one._frames  # nobody looks on any more


def test_events_are_one_line_each_whatever_a_model_wrote():
    frame = live_runs.event_frame(
        "r", Thought(MAIN, "a\n\ndata: b\r\nevent: end\u2028\ud83d", seq=3).to_json()
    )
    head, kind, data, *rest = frame.split(b"\n")
    assert (head, kind, rest) == (b"id: 3", b"event: thought", [b"", b""])
    assert (
        json.loads(data.removeprefix(b"data: "))["text"] == "a\n\ndata: b\r\nevent: end\u2028\ud83d"
    )
    assert b"\r" not in frame


async def test_a_watcher_waits_for_events_that_the_store_has_not_taken_yet():
    class Full(MemoryRunStore):
        reads = 0

        async def events_json(self, id, after, limit):
            self.reads += 1
            await asyncio.sleep(0)
            return []

    runs = LiveRuns(store := Full(), WatchSettings(recheck=0.2))
    await runs.start(RunHeader(id="r", protocol="page", model="m", conversation=()))
    await runs.append_events("r", [RunStarted("r", "instant", "m", "q")])
    async with asyncio.timeout(20), aclosing(runs.watch("r")) as frames:
        frame = asyncio.create_task(anext(frames))
        await asyncio.sleep(0.5)
        assert not frame.done() and store.reads <= 4  # it waits, and reads again only now and then
        runs.end("r", "failed", RunCost())
        assert (await frame).startswith(b"event: end\n")
