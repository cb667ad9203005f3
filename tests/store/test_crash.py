"""Runs survive a server that is killed, stopped or left, and a store that fails: real processes, and clients on sockets."""

# ruff: noqa: ASYNC210, ASYNC221 - nothing else waits in these loops while a page is read or a disk is mounted

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing

import httpx
import pytest

from musespark.events import MAIN, AnswerDelta, RunEnded, RunStarted, Thought
from musespark.store.database.database import Database
from musespark.store.runs.run_store import SqlRunStore

from .serving import asking, serving, until


async def all_kept(path, number=1000):
    """Every run of a store, opened as the next server opens it."""
    async with SqlRunStore(Database(path)).open() as runs:
        return {
            kept.header.id: await runs.get(kept.header.id) for kept in await runs.latest(number)
        }


def require_whole(kept):
    """Nothing is half-written: the events are numbered without gaps, and begin at the beginning."""
    assert [event.seq for event in kept.events] == list(range(len(kept.events)))
    assert not kept.events or (
        isinstance(kept.events[0], RunStarted) and kept.events[0].run == kept.header.id
    )


def require_acknowledged(client, kept):
    """The store has everything the client saw."""
    said = "".join(event.text for event in kept.events if isinstance(event, AnswerDelta))
    mused = "".join(
        event.text for event in kept.events if isinstance(event, Thought) and event.agent == MAIN
    )
    assert said.startswith(client.said) and mused.startswith(client.mused)


@pytest.mark.parametrize("moment", [0, 1, 2])
async def test_killed_in_the_middle_of_50_runs_it_has_kept_all_that_was_acknowledged(
    tmp_path, moment
):
    store = tmp_path / "musespark" / "runs.db"
    with serving(tmp_path) as (process, url):
        async with asking(2, url, model="quick") as (early, tasks):
            await asyncio.gather(*tasks)
        async with asking(50, url) as (clients, tasks):
            await until(
                lambda: sum(len(client.said) for client in clients) >= (1, 2000, 10_000)[moment]
            )
            process.kill()
            await asyncio.gather(*tasks)
    assert process.wait() == -signal.SIGKILL
    known = [client for client in clients if client.run]
    assert all(client.broke and not client.done for client in known) and len(known) == 50
    kept = await all_kept(store)
    for client in known:
        run = kept[client.run]
        require_acknowledged(client, run)
        assert run.status == "interrupted" and not any(
            isinstance(event, RunEnded) for event in run.events
        )
        assert run.cost.tokens >= max(0, len(client.said.split()) - 1) // 10 * 10
    for run in kept.values():
        require_whole(run)
    assert [kept[client.run].status for client in early] == ["finished", "finished"]
    with serving(tmp_path) as (process, url):
        page = httpx.get(f"{url}/v1/runs/{known[0].run}").json()
        assert page["status"] == "interrupted" and page["answer"].startswith(known[0].said)


async def test_told_to_stop_it_lets_runs_end_and_stores_the_others_as_interrupted(tmp_path):
    with serving(tmp_path, "--grace", "1") as (process, url):
        async with asking(8, url) as (early, tasks), asking(8, url, model="hang") as (late, more):
            await until(
                lambda: (
                    all(len(client.said.split()) > 100 for client in early)
                    and all(client.said for client in late)
                )
            )
            process.send_signal(signal.SIGTERM)
            await until(lambda: _refuses(url))
            await asyncio.gather(*tasks, *more)
        assert process.wait(20) == 0
        assert (
            process.stderr.read()
            == "ERROR:    Cancel 8 running task(s), timeout graceful shutdown exceeded\n"
        )
    assert all(client.done and not client.failed for client in early)
    assert {client.failed for client in late} == {
        "The server is being stopped; ask again in a moment."
    }
    with closing(
        sqlite3.connect(tmp_path / "musespark" / "runs.db")
    ) as connection:  # before any other server could mark them
        how = dict(connection.execute("SELECT id, how FROM runs"))
        assert connection.execute("SELECT count(*) FROM servers").fetchone() == (0,)
    assert {how[client.run] for client in early} == {"finished"} and {
        how[client.run] for client in late
    } == {"interrupted"}
    for client in (*early, *late):
        run = (await all_kept(tmp_path / "musespark" / "runs.db"))[client.run]
        require_whole(run)
        require_acknowledged(client, run)


def _refuses(url):
    try:
        httpx.get(f"{url}/health", timeout=1)
    except httpx.TransportError:
        return True
    return False


async def test_a_client_that_leaves_leaves_a_cancelled_run_with_what_it_cost(tmp_path):
    with serving(tmp_path) as (_, url):
        async with asking(5, url) as (clients, tasks):
            await until(lambda: all(len(client.said.split()) > 25 for client in clients))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            async with asyncio.timeout(10):
                while (run := httpx.get(f"{url}/v1/runs/{client.run}").json())[
                    "status"
                ] == "running":
                    await asyncio.sleep(0.01)
            assert run["status"] == "cancelled" and run["answer"].startswith(client.said)
            assert (
                run["spent"]["calls"] == 1
                and run["spent"]["tokens"] >= 20
                and run["spent"]["usd"] >= 0.02
            )


async def test_two_servers_share_a_file_and_one_may_die(tmp_path):
    with serving(tmp_path) as (first, one), serving(tmp_path) as (_, two):
        async with asking(10, one) as (lost, dying), asking(10, two) as (clients, tasks):
            await until(lambda: all(client.said for client in (*lost, *clients)))
            first.kill()
            await asyncio.gather(*dying)
            with serving(tmp_path) as (_, three):
                for client in lost:
                    assert (
                        httpx.get(f"{three}/v1/runs/{client.run}").json()["status"] == "interrupted"
                    )
                for client in clients:
                    assert httpx.get(f"{three}/v1/runs/{client.run}").json()["status"] in (
                        "running",
                        "finished",
                    )
                await asyncio.gather(*tasks)
                for client in clients:
                    assert client.done
                # How a run ended is written a moment after its last event, which says so too.
                await until(
                    lambda: all(
                        httpx.get(f"{three}/v1/runs/{client.run}").json()["status"] == "finished"
                        for client in clients
                    )
                )


@pytest.mark.skipif(
    shutil.which("mount") is None or os.geteuid() != 0, reason="a small disk of its own needs root"
)
async def test_a_full_disk_fails_what_cannot_be_kept_and_nothing_else(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("no small disk can be made here")
    try:
        with serving(tmp_path, "--store", str(disk / "runs.db")) as (_, url):
            body = {"model": "quick", "messages": [{"role": "user", "content": "x" * 12_000}]}
            async with httpx.AsyncClient(timeout=30) as http:

                async def asked(**options):
                    return await http.post(f"{url}/v1/chat/completions", json={**body, **options})

                done = [await asked() for _ in range(60)]
                statuses = [response.status_code for response in done]
                assert statuses[0] == 200 and statuses[-1] == 503
                assert (
                    "disk is full" in done[-1].json()["error"]["message"]
                    and str(disk) not in done[-1].text
                )
                assert (await asked(muse={"store": False})).status_code == 200
                assert (await http.get(f"{url}/health")).status_code == 200
                subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
                async with asyncio.timeout(30):
                    while (await asked()).status_code != 200:
                        await asyncio.sleep(0.1)
        kept = await all_kept(disk / "runs.db")
        assert len(kept) >= statuses.count(200) + 1
        for run in kept.values():
            require_whole(run)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.parametrize("content", ["no database at all, but a long enough text to look at", None])
def test_a_store_that_cannot_be_used_is_one_sentence(tmp_path, content, capsys):
    from musespark.cli.app import run

    path = tmp_path / "runs.db"
    path.mkdir() if content is None else path.write_text(content)
    assert run(["serve", "--port", "0", "--store", str(path)]) == 1
    printed = capsys.readouterr()
    assert (
        printed.out == ""
        and printed.err.count("\n") == 1
        and "name another with --store." in printed.err
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--keep", "soon"], "30d"),
        (["--store", "memory", "--keep", "3"], "left out"),
        (["--store", "mysql://u:sesame@h/d"], "only files and postgresql://"),
    ],
)
def test_options_of_the_store_that_make_no_sense_are_one_sentence(capsys, options, said):
    from musespark.cli.app import run

    assert run(["serve", "--port", "0", *options]) in (1, 2)
    printed = capsys.readouterr()
    assert said in printed.err and printed.err.count("\n") == 1 and "sesame" not in printed.err
