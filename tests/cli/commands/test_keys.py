"""`muse keys`: shown once, listed without the secret, ended; and a server that others can reach needs one."""

import re
import socket
import sqlite3
import subprocess
import sys

import httpx
import pytest

from musespark.cli.app import run
from musespark.store.database.database import Database


@pytest.fixture
def muse(tmp_path, capsys):
    """A command over an empty store of its own; what it printed."""
    Database(tmp_path / "runs.db").close()

    def command(*args, code=0):
        assert run([*args, "--store", str(tmp_path / "runs.db")]) == code
        return capsys.readouterr()

    return command


def test_no_key_is_made_where_none_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for args in (["create", "ann"], ["list"], ["revoke", "ann"]):
        assert run(["keys", *args, "--store", "memory"]) == 2
        printed = capsys.readouterr()
        assert (
            "a store in memory has no keys" in printed.err
            and printed.err.count("\n") == 1
            and not printed.out
        )
    assert list(tmp_path.iterdir()) == []


def test_a_key_from_its_beginning_to_its_end(muse):
    assert "There are no keys" in muse("keys", "list").out
    made = muse("keys", "create", "ann", "--usd-per-day", "5", "--per-minute", "60")
    secret = made.out.strip()
    assert re.fullmatch(r"muse_[0-9a-f]{12}_[\w-]{43}", secret) and "not shown again" in made.err
    listed = muse("keys", "list").out
    assert (
        "ann" in listed and "$0.0000 today, of $5, 60 a minute" in listed and secret[5:17] in listed
    )
    assert secret.split("_", 2)[2] not in listed
    assert (
        "is revoked" in muse("keys", "revoke", "ann").out
        and "revoked 20" in muse("keys", "list").out
    )


def test_a_key_is_changed_and_gets_another_secret(muse):
    first = muse("keys", "create", "ann", "--models", "a, b", "--modes", "thinking").out.strip()
    changed = muse(
        "keys", "change", "ann", "--usd-per-day", "20", "--expires", "30d", "--modes", "none"
    ).out
    for text in (changed, muse("keys", "list").out):
        assert "of $20, expires 20" in text and "models a b" in text and "modes" not in text
    rotated = muse("keys", "rotate", "ann")
    assert rotated.out.strip() not in ("", first) and first[:18] == rotated.out[:18]
    assert re.search(r"The one before counts until 20\d\d-\d\d-\d\d \d\d:\d\d UTC", rotated.err)
    assert "refused from now on" in muse("keys", "rotate", "ann", "--grace", "0s").err
    lifted = muse("keys", "change", "ann", "--usd-per-day", "none", "--expires", "none").out
    assert "no limit, models a b\n" in lifted


@pytest.mark.parametrize("args", [["list"], ["revoke", "ann"]])
def test_a_store_that_does_not_exist_is_reported_and_not_made(tmp_path, capsys, args):
    assert run(["keys", *args, "--store", str(tmp_path / "typo" / "runs.db")]) == 2
    printed = capsys.readouterr()
    assert (
        "there is none of that name" in printed.err
        and printed.err.count("\n") == 1
        and not printed.out
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [["list"], ["revoke", "ann"]])
def test_no_store_is_made_where_servers_keep_theirs(tmp_path, capsys, monkeypatch, args):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert run(["keys", *args]) == 2
    assert "there is none of that name" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_no_store(tmp_path, capsys):
    (tmp_path / "runs.db").touch()
    assert run(["keys", "list", "--store", str(tmp_path / "runs.db")]) == 1
    assert "no tables of a store" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["create", "a b"], "letters"),
        (["create", "x", "--usd-per-day", "0"], "--usd-per-day"),
        (["create", "x", "--per-minute", "0"], "--per-minute"),
        (["create", "x", "--usd-per-day", "much"], "a number, or none"),
        (["create", "x", "--expires", "soon"], "a time such as 30d"),
        (["create", "x", "--models", "a,,b"], "commas"),
        (["create", "x", "--modes", "fast"], "instant, thinking, contemplating"),
        (["change", "nobody", "--per-minute", "3"], "muse keys list"),
        (["change", "x"], "a limit, such as"),
        (["rotate", "nobody"], "muse keys list"),
        (["rotate", "x", "--grace", "4y"], "a time such as 30d"),
        (["rotate", "x", "--grace", "91d"], "at most 90 days"),
        (["revoke", "nobody"], "muse keys list"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(muse, args, said):
    printed = muse("keys", *args, code=2)
    assert printed.out == "" and said in printed.err and printed.err.count("\n") == 1


def test_a_server_for_others_starts_once_there_is_a_key(muse, tmp_path):
    assert "muse keys create" in muse("serve", "--host", "0.0.0.0", "--port", "0", code=2).err
    secret = muse("keys", "create", "ann").out.strip()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    # On this machine's own address: the tests open no door to others.
    command = [
        sys.executable,
        "-m",
        "musespark",
        "serve",
        "--require-key",
        "--port",
        port,
        "--store",
        str(tmp_path / "runs.db"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert "listens" in process.stdout.readline()
            url = f"http://127.0.0.1:{port}/v1/models"
            assert httpx.get(url).status_code == 401
            assert httpx.get(url, headers={"x-api-key": secret}).status_code == 200
        finally:
            process.terminate()
            assert process.wait(30) == 0


@pytest.mark.parametrize("found", ["10.1.2.3", "0.0.0.0", "8.8.8.8"])
def test_a_name_that_leads_to_others_needs_a_key_whatever_it_begins_with(muse, monkeypatch, found):
    leads = socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, 0)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **options: [leads])
    for name in ("127.0.0.1.example", "localhost", "127.1"):
        assert "muse keys create" in muse("serve", "--host", name, "--port", "0", code=2).err


@pytest.mark.parametrize("name", ["a" * 80 + ".com", "no-such-name.invalid", "300.1.1.1", "[::1]"])
def test_a_name_that_leads_nowhere_is_one_sentence(muse, name):
    printed = muse("serve", "--host", name, "--port", "0", code=2)
    assert (
        printed.out == ""
        and "a name of this machine" in printed.err
        and printed.err.count("\n") == 1
    )


def test_behind_a_proxy_it_answers_for_the_name_that_the_proxy_has(muse, tmp_path):
    secret = muse("keys", "create", "ann").out.strip()
    command = [
        sys.executable,
        "-m",
        "musespark",
        "serve",
        "--require-key",
        "--port",
        "0",
        "--store",
        str(tmp_path / "runs.db"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().split()[-1]
            headers = {"host": "muse.example", "x-api-key": secret}
            assert httpx.get(f"{url}/v1/models", headers=headers).status_code == 200
        finally:
            process.terminate()
            assert process.wait(30) == 0


def test_a_store_that_fails_as_the_server_starts_is_one_sentence(muse, tmp_path):
    muse("keys", "list")
    with sqlite3.connect(tmp_path / "runs.db") as connection:
        connection.execute("DROP TABLE servers")
    connection.close()
    printed = muse("serve", "--port", "0", code=1)
    assert (
        printed.out == ""
        and "no such table: servers" in printed.err
        and printed.err.count("\n") == 1
    )
