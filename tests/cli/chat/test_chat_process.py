"""`muse chat` as a process: in a pipe, and on a terminal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import MUSE, PATIENCE, SOURCES, Terminal

from musespark.cli.app import run


@pytest.fixture
def environment(tmp_path):
    return {
        **os.environ,
        "PYTHONPATH": SOURCES,
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "MUSE_CONFIG": str(_empty(tmp_path / "config.toml")),
        "TERM": "xterm-256color",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }


def _empty(path: Path) -> Path:
    path.write_text("")
    return path


def piped(environment, text: str, *args: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*MUSE, "chat", *args],
        env=environment,
        input=text,
        text=True,
        capture_output=True,
        timeout=PATIENCE,
    )


def test_a_pipe_is_answered_a_line_a_question(environment):
    done = piped(environment, "One?\n\n/mode contemplating\nTwo?", "--model", "fake:answer")
    assert (done.returncode, done.stdout) == (0, "42\n42\n")
    assert "fake:answer · contemplating." in done.stderr and "so far" in done.stderr
    assert not Path(environment["XDG_DATA_HOME"]).exists()  # a history is a person's


def test_a_pipe_of_objects(environment):
    done = piped(environment, "One?\nTwo?\n", "--model", "fake:answer", "--json")
    assert [json.loads(line)["answer"] for line in done.stdout.splitlines()] == ["42", "42"]
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "model", "code"),
    [("/foo", "fake:answer", 2), ("One?", "fake:error", 1), ("One?", "fake:silent", 1)],
)
def test_a_pipe_says_what_failed_and_goes_on(environment, line, model, code):
    done = piped(environment, f"{line}\n/model fake:answer\nTwo?\n", "--model", model)
    assert (done.returncode, done.stdout) == (code, "42\n") and "Traceback" not in done.stderr


def test_bad_options_are_told_before_a_line_is_read(capsys):
    for args in (["--mode", "thnking"], ["--agents", "0"], ["--model", "nowhere"]):
        assert run(["chat", *args]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_ends_a_conversation_in_a_pipe(environment):
    process = subprocess.Popen(
        [*MUSE, "chat", "--model", "fake:hang"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write("/help\n")
    process.stdin.flush()
    assert "/model" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and err.endswith("Stopped.\n") and "Traceback" not in err


def test_a_conversation_on_a_terminal(environment):
    terminal = Terminal(environment, "chat", "--model", "fake:answer")
    terminal.read_next("/help lists")
    terminal.read_next(">")
    terminal.type("Six times seven?\r")
    terminal.read_next("verified by the script")
    terminal.read_next("5 tokens")
    terminal.read_next(">")
    terminal.type("/mode contemplating\r")
    terminal.read_next("fake:answer · contemplating.")
    terminal.read_next(">")
    terminal.type("And now?\r")
    terminal.read_next("so far 10 tokens")
    terminal.read_next(">")
    terminal.type("/quit\r")
    seen = terminal.read()
    assert terminal.close() == 0 and "Traceback" not in seen
    history = Path(environment["XDG_DATA_HOME"]) / "musespark" / "chat_history"
    assert "Six times seven?" in history.read_text("utf-8")


def test_ctrl_c_stops_the_answer_and_not_the_program(environment):
    terminal = Terminal(environment, "chat", "--model", "fake:hang")
    terminal.read_next("/help lists")
    terminal.read_next(">")
    terminal.type("Six times seven?\r")
    terminal.read_next("\r4")
    terminal.type("\x03")
    terminal.read_next("best answer so far: the run was stopped")
    terminal.read_next(">")
    terminal.type("/model fake:answer\r")
    terminal.read_next("fake:answer · thinking.")
    terminal.read_next(">")
    terminal.type("Again?\r")
    terminal.read_next("verified by the script")
    terminal.read_next(">")
    terminal.type("\x04")
    terminal.read()
    assert terminal.close() == 0


def test_nothing_of_it_is_imported_for_anything_else():
    code = (
        "import sys; from musespark.cli.app import run; run(['--help']); run(['chat', '--help']);"
        "print(sorted({'prompt_toolkit', 'rich', 'numpy', 'asyncio'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": SOURCES},
    )
    assert loaded.stdout.splitlines()[-1] == "[]"
