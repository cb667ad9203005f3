"""Behaviour that only a process shows: signals, closed pipes, terminals, and imports."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from terminal import MUSE, PATIENCE, SOURCES, Terminal

import musespark
from musespark.images import encode_png


@pytest.fixture
def environment(tmp_path):
    return {
        **os.environ,
        "PYTHONPATH": SOURCES,
        "TMPDIR": str(tmp_path),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }


def start(environment, *args: str, **options) -> subprocess.Popen:
    usual = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    return subprocess.Popen([*MUSE, *args], env=environment, **{**usual, **options})


def ended(process: subprocess.Popen) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, out, err


def test_version_and_help(environment):
    assert ended(start(environment, "--version")) == (0, f"muse {musespark.__version__}\n", "")
    alone, asked = ended(start(environment)), ended(start(environment, "--help"))
    assert alone == asked and alone[0] == 0 and alone[2] == ""
    assert re.search(r"(?m)^  ask +Ask a question\.$", alone[1])
    assert ended(start(environment, "nano"))[0] == 0
    code, out, err = ended(start(environment, "answer"))
    assert (code, out, err) == (2, "", "No such command 'answer'; see muse --help.\n")


def test_only_what_is_needed_is_imported():
    code = (
        "import sys; from musespark.cli.app import run; run(['--help']);"
        "first = {'numpy', 'PIL', 'torch', 'matplotlib', 'pydantic', 'asyncio', 'rich'} & set(sys.modules);"
        "run(['ask', '?', '--model', 'fake:answer', '--json']);"  # typer reads options with pydantic
        "second = {'numpy', 'PIL', 'torch', 'matplotlib', 'rich'} & set(sys.modules);"
        "print(sorted(first | second))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": SOURCES},
    )
    assert loaded.stdout.splitlines()[-1] == "[]"


def test_an_image_in_a_pipe(environment):
    process = start(
        environment,
        "ask",
        "?",
        "--image",
        "-",
        "--model",
        "fake:team",
        "--json",
        stdin=subprocess.PIPE,
        text=False,
    )
    out, _ = process.communicate(encode_png(np.zeros((8, 8, 3), np.uint8)), timeout=PATIENCE)
    assert process.returncode == 0 and json.loads(out)["answer"] == "42"


@pytest.mark.parametrize(
    "args",
    [
        ["ask", "?", "--model", "fake:slow"],
        ["ask", "?", "--model", "fake:slow", "--json"],
        ["--help"],
    ],
)
def test_nobody_reads_the_output_any_more(environment, args):
    process = start(environment, *args)
    process.stdout.close()
    process.wait(timeout=PATIENCE)
    assert process.returncode == 1 and process.stderr.read() == ""
    process.stderr.close()


def test_head_reads_the_first_line_and_the_run_ends(environment):
    process = start(environment, "ask", "?", "--model", "fake:hang")
    assert "contemplating" in process.stdout.readline()
    process.stdout.close()
    process.send_signal(
        signal.SIGINT
    )  # the hanging model has nothing more to say that would meet the closed pipe
    process.wait(timeout=PATIENCE)
    # Which of the two ends it first, the interrupt or the pipe, is not for the test to say; neither leaves a traceback.
    assert process.returncode != 0 and process.stderr.read() in (
        "",
        "The run was stopped before an answer.\n",
    )
    process.stderr.close()


def test_no_output_at_all(environment):
    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *MUSE, "ask", "?", "--model", "fake"],
        env=environment,
        text=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (closed.returncode, closed.stderr) == (
        1,
        "The output is closed; open it or send it to a file.\n",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(environment):
    with open("/dev/full", "w") as full:
        code, _, err = ended(start(environment, "ask", "?", "--model", "fake", stdout=full))
    assert (code, err) == (1, "The output cannot be written: No space left on device.\n")


@pytest.mark.parametrize(
    ("number", "form"),
    [(signal.SIGINT, []), (signal.SIGINT, ["--json"]), (signal.SIGTERM, ["--json"])],
)
def test_a_signal_stops_the_run_with_the_best_answer_so_far(environment, tmp_path, number, form):
    trace = tmp_path / "trace"
    process = start(environment, "ask", "?", "--model", "fake:hang", "--trace", str(trace), *form)
    until(
        lambda: (
            (trace / "events.jsonl").exists()
            and "answer_delta" in (trace / "events.jsonl").read_text()
        )
    )
    process.send_signal(number)
    code, out, err = ended(process)
    assert code == 128 + number
    if form:
        assert (
            json.loads(out)["answer"] == "4"
            and err == "This is the best answer so far: the run was stopped.\n"
        )
    else:
        assert "\n  4\n" in out and "best answer so far: the run was stopped" in out and err == ""


def test_a_signal_before_an_answer(environment, tmp_path):
    trace = tmp_path / "trace"
    process = start(
        environment, "ask", "?", "--model", "fake:slow", "--trace", str(trace), "--json"
    )
    until((trace / "events.jsonl").exists)
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "", "The run was stopped before an answer.\n")
    assert [path.name for path in trace.iterdir()] == ["events.jsonl"]


def test_the_second_ctrl_c_ends_a_model_that_does_not_stop(environment):
    code = (
        "import time; from musespark.cli.commands.ask_run import answer; from musespark.cli.view.run_views import LinesView\n"
        "from musespark.models.fake import FakeModel\n"
        "class Stubborn(FakeModel):\n"
        "    async def stream(self, request):\n"
        "        try:\n"
        "            async for delta in super().stream(request): yield delta\n"
        "        finally: time.sleep(600)\n"
        "answer('?', {'model': Stubborn('hang')}, LinesView())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while "spawned" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert (code, err) == (130, "")


def until(condition) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_lanes_on_a_terminal(environment):
    terminal = Terminal(environment, "ask", "Which?", "--model", "fake:slow")
    seen = terminal.read()
    assert terminal.close() == 0
    assert seen.count("\x1b[?2026h") == seen.count("\x1b[?2026l") > 3  # several frames, each whole
    assert seen.count("\x1b[?25l") == 1 and seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")
    last = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", seen[seen.rindex("\x1b[?2026h") :])
    for shown in (
        "won",
        "42",
        "verified by the script",
        "critical path 9 · 20 tokens · 2 threads",
        "1 image drawn and not kept",
    ):
        assert shown in last
    assert "thinking" in seen and "nothing" in seen and "▀" in seen


def test_ctrl_c_on_a_terminal(environment):
    terminal = Terminal(environment, "ask", "Which?", "--model", "fake:hang", columns=60)
    terminal.read("\x1b[1m4")
    terminal.type("\x03")
    seen = terminal.read()
    assert terminal.close() == 130
    assert "best answer so far: the run was stopped" in seen and "Traceback" not in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")


def test_a_dumb_terminal_gets_plain_lines(environment):
    terminal = Terminal({**environment, "TERM": "dumb"}, "ask", "Which?", "--model", "fake:team")
    seen = terminal.read()
    assert terminal.close() == 0 and "\x1b" not in seen and "verified by the script" in seen
