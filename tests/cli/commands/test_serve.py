"""`muse serve`, as a process of its own."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from musespark.cli.app import run


@pytest.mark.skipif(not os.path.exists("/proc/self/limits"), reason="reads /proc")
def test_the_limit_of_open_files_is_raised_to_what_is_allowed():
    code = (
        "import resource, subprocess, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 900)); "
        "subprocess.run([sys.executable, '-m', 'musespark', 'serve', '--port', '0', '--store', 'memory'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert "listens" in process.stdout.readline()
            here = Path("/proc")
            children = (here / f"{process.pid}/task/{process.pid}/children").read_text().split()
            limits = (here / children[0] / "limits").read_text()
            assert re.search(r"Max open files +900 +900 ", limits)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def serving(*options, **env):
    """A server, and the lines that it greets with."""
    process = subprocess.Popen(
        [sys.executable, "-m", "musespark", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    try:
        yield process, [process.stdout.readline().rstrip("\n") for _ in range(4)]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def unconfigured(tmp_path):
    """A configuration that is empty."""
    (tmp_path / "config.toml").write_text("")
    return {"MUSE_CONFIG": str(tmp_path / "config.toml")}


def test_it_greets_with_a_line_that_works(unconfigured):
    with serving(**unconfigured) as (_, (where, models, line, page)):
        assert (
            where.startswith("Muse Spark listens at http://127.0.0.1:")
            and "contemplating/nano" in models
        )
        assert page == f"Or open {where.split()[-1]} in a browser, to ask and to watch."
        command = shlex.split(line.removeprefix("Try: "))
        done = json.loads(
            subprocess.run(
                [command[0], "-s", *command[1:]], capture_output=True, check=True, timeout=60
            ).stdout
        )
        assert done["muse"]["verified"]["ok"] and done["choices"][0]["message"]["content"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_lets_answers_end_and_takes_no_more(tmp_path, number):
    (tmp_path / "config.toml").write_text("")
    with serving("--grace", "20", MUSE_CONFIG=str(tmp_path / "config.toml")) as (
        process,
        (where, *_),
    ):
        url = where.split()[-1]
        body = {
            "model": "thinking",
            "stream": True,
            "messages": [{"role": "user", "content": "Use 25, 3, 7 and 12 to make 66."}],
        }
        with (
            httpx.Client(timeout=60) as client,
            client.stream("POST", f"{url}/v1/chat/completions", json=body) as response,
        ):
            lines = response.iter_lines()
            next(lines)
            process.send_signal(number)
            assert list(lines)[-2:] == ["data: [DONE]", ""]
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health")


@pytest.mark.parametrize("watched", [False, True])
def test_told_to_stop_it_lets_runs_end_that_nobody_waits_for(tmp_path, watched):
    (tmp_path / "config.toml").write_text(
        '[models.slow]\nmodel = "fake:slow"\n[models.hang]\nmodel = "fake:hang"\n'
    )
    options = ["--grace", "6", "--store", str(tmp_path / "runs.db")]
    with serving(*options, MUSE_CONFIG=str(tmp_path / "config.toml")) as (process, (where, *_)):
        with httpx.Client(base_url=where.split()[-1], timeout=60) as client:
            asked = [
                {"question": "?", "mode": "thinking", "models": [name]} for name in ("slow", "hang")
            ]
            slow, hang = (client.post("/v1/runs", json=body).json()["id"] for body in asked)
            with client.stream("GET", f"/v1/runs/{hang}/events") if watched else nullcontext():
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
        assert (
            len(process.stderr.read().splitlines()) == watched
        )  # uvicorn says that it cuts off who watches
    with serving(*options, MUSE_CONFIG=str(tmp_path / "config.toml")) as (_, (where, *_)):
        found = {
            run["id"]: run
            for run in httpx.get(f"{where.split()[-1]}/v1/runs", timeout=60).json()["data"]
        }
    assert (found[slow]["how"], found[slow]["answer"]) == ("finished", "42")
    assert (found[hang]["how"], found[hang]["answer"]) == ("interrupted", "4")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "as long as there are no keys"),
        (["--config", "/nowhere/config.toml"], "does not exist"),
        (["--grace", "inf"], "less than or equal to 86400"),
        (["--allow-origin", "chat.example.com"], "an origin such as https://chat.example.com"),
        (["--allow-origin", "https://chat.example.com/page"], "an origin such as"),
        (["--allow-origin", "https://["], "an origin such as"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(capsys, options, said):
    assert run(["serve", "--port", "0", *options]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and said in printed.err and printed.err.count("\n") == 1


def test_an_origin_that_is_allowed_may_ask_over_http_and_over_a_socket(unconfigured):
    origin = "https://chat.example.com"
    with serving(
        "--allow-origin", f"{origin}/", "--store", "memory", "--config", unconfigured["MUSE_CONFIG"]
    ) as (_, (where, *_)):
        url = where.split()[-1]
        told = httpx.get(f"{url}/v1/models", headers={"origin": origin}, timeout=60).headers
        assert told["access-control-allow-origin"] == origin
        socket_url = f"{url.replace('http', 'ws')}/v1/responses"
        with connect(socket_url, origin=origin) as connection:
            connection.send('{"type": "response.create", "model": "nothing", "input": "?"}')
            assert json.loads(connection.recv(timeout=60))["error"]["code"] == "model_not_found"


def test_a_port_that_is_taken_is_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["serve", "--port", str(taken.getsockname()[1])]) == 2
    printed = capsys.readouterr()
    assert "one that is free at 127.0.0.1" in printed.err and printed.err.count("\n") == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_waits_longer_than_the_server_does_is_told_that_it_stops(tmp_path, stream):
    (tmp_path / "config.toml").write_text('[models.hang]\nmodel = "fake:hang"\n')
    with serving(
        "--store", "memory", "--grace", "0", MUSE_CONFIG=str(tmp_path / "config.toml")
    ) as (process, (where, *_)):
        url = where.split()[-1]
        body = {"model": "hang", "messages": [{"role": "user", "content": "?"}], "stream": stream}
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(httpx.post, f"{url}/v1/chat/completions", json=body, timeout=60)
            while not httpx.get(f"{url}/v1/runs", timeout=60).json()["data"]:
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            response = asked.result()
        assert process.wait(60) == 0
    assert (
        response.status_code == (200 if stream else 503)
        and "The server is being stopped; ask again" in response.text
    )
    assert response.text.endswith("data: [DONE]\n\n") == stream


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_wait_for_answers_under_way(tmp_path, number):
    (tmp_path / "config.toml").write_text('[models.hang]\nmodel = "fake:hang"\n')
    options = ["--grace", "3600", "--store", str(tmp_path / "runs.db")]
    with serving(*options, MUSE_CONFIG=str(tmp_path / "config.toml")) as (process, (where, *_)):
        url = where.split()[-1]
        body = {"model": "hang", "stream": True, "messages": [{"role": "user", "content": "?"}]}
        with (
            httpx.Client(timeout=60) as client,
            client.stream("POST", f"{url}/v1/chat/completions", json=body) as response,
        ):
            lines = response.iter_lines()
            next(lines)
            process.send_signal(number)
            with pytest.raises(httpx.TransportError):  # refused, or cut off while it closes
                while True:
                    httpx.get(f"{url}/health")
            process.send_signal(number)
            assert "being stopped" in "".join(lines)
        assert process.wait(60) == 0
    with serving(*options, MUSE_CONFIG=str(tmp_path / "config.toml")) as (_, (where, *_)):
        [run] = httpx.get(f"{where.split()[-1]}/v1/runs", timeout=60).json()["data"]
        assert run["status"] == "interrupted"


def test_told_to_read_its_configuration_again_it_drops_no_answer(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[models.slow]\nmodel = "fake:slow"\n')
    with serving("--store", "memory", MUSE_CONFIG=str(config)) as (process, (where, *_)):
        url = where.split()[-1]
        body = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "?"}]}

        def listed():
            found = httpx.get(f"{url}/v1/models", timeout=60).json()["data"]
            return {model["id"] for model in found}

        with (
            httpx.Client(timeout=60) as client,
            client.stream("POST", f"{url}/v1/chat/completions", json=body) as response,
        ):
            config.write_text('[models.new]\nmodel = "fake:team"\n')
            process.send_signal(signal.SIGHUP)
            assert "[DONE]" in "".join(response.iter_lines())
        while "new" not in listed():
            time.sleep(0.02)
        assert "slow" not in listed()
        config.write_text("this is no TOML")
        process.send_signal(signal.SIGHUP)
        assert "read again" in process.stderr.readline()
        assert "was not read again" in process.stderr.readline()
        assert "new" in listed()


def test_it_needs_no_home_and_takes_its_options_from_the_environment(tmp_path):
    import musespark.config

    env = {
        **os.environ,
        "MUSE_STORE": str(tmp_path / "here.db"),
        "MUSE_PORT": "0",
        "MUSE_GRACE": "0",
        "MUSE_KEEP": "5",
        "MUSE_REQUIRE_KEY": "1",
    }
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "MUSE_CONFIG"):
        env.pop(name, None)
    homeless = (
        "import pathlib\n"
        "def home(): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "import sys; sys.argv[0] = 'muse'\n"
        "from musespark.cli import main; main()\n"
    )
    command = [sys.executable, "-c", homeless, "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            where = process.stdout.readline().split()[-1]
            assert httpx.get(f"{where}/v1/models", timeout=60).status_code == 401
        finally:
            process.terminate()
            assert process.wait(60) == 0
    assert (tmp_path / "here.db").exists()
    assert musespark.config.home_folder().is_absolute()
