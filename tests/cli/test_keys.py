"""`muse keys`: shown once, listed without the secret, ended; and a server that others can reach needs one."""

import re
import socket
import subprocess
import sys

import httpx
import pytest

from musespark.cli.app import run


@pytest.fixture
def muse(tmp_path, capsys):
    """A command over a store of its own; what it printed."""
    def command(*args, code=0):
        assert run([*args, "--store", str(tmp_path / "runs.db")]) == code
        return capsys.readouterr()

    return command


def test_a_key_from_its_beginning_to_its_end(muse):
    assert "There are no keys" in muse("keys", "list").out
    made = muse("keys", "create", "ann", "--usd-per-day", "5", "--per-minute", "60")
    secret = made.out.strip()
    assert re.fullmatch(r"muse_[0-9a-f]{12}_[\w-]{43}", secret) and "not shown again" in made.err
    listed = muse("keys", "list").out
    assert "ann" in listed and "$0.0000 today, of $5, 60 a minute" in listed and secret[5:17] in listed
    assert secret.split("_", 2)[2] not in listed
    assert "is revoked" in muse("keys", "revoke", "ann").out and "revoked 20" in muse("keys", "list").out


@pytest.mark.parametrize(("args", "said"), [
    (["create", "a b"], "letters"), (["create", "x", "--usd-per-day", "0"], "--usd-per-day"),
    (["create", "x", "--per-minute", "0"], "--per-minute"), (["revoke", "nobody"], "muse keys list"),
])
def test_what_makes_no_sense_is_one_sentence(muse, args, said):
    printed = muse("keys", *args, code=2)
    assert printed.out == "" and said in printed.err and printed.err.count("\n") == 1


def test_a_server_for_others_starts_once_there_is_a_key(muse, tmp_path):
    assert "muse keys create" in muse("serve", "--host", "0.0.0.0", "--port", "0", code=2).err
    secret = muse("keys", "create", "ann").out.strip()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    # On this machine's own address: the tests open no door to others.
    command = [sys.executable, "-m", "musespark", "serve", "--require-key", "--port", port, "--store", str(tmp_path / "runs.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert "listens" in process.stdout.readline()
            url = f"http://127.0.0.1:{port}/v1/models"
            assert httpx.get(url).status_code == 401
            assert httpx.get(url, headers={"x-api-key": secret}).status_code == 200
        finally:
            process.terminate()
            assert process.wait(30) == 0
