"""Files of `muse ask`: its trace, its images, its answer; and a disk that is full."""

import errno
import json
import os
import resource
import signal
import subprocess

import pytest
from terminal import MUSE, PATIENCE, SOURCES, Terminal

from musespark.cli.app import run
from musespark.errors import TraceUnwritable
from musespark.store import VoteStore
from musespark.trace import read_trace


def said(capsys, *args: str) -> tuple[int, str, str]:
    code = run(["ask", "Which?", *args])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "PYTHONPATH": SOURCES, "XDG_DATA_HOME": str(tmp_path / "data")}


def limited(
    environment,
    tmp_path,
    most: int,
    *args: str,
    stdout=subprocess.PIPE,
    model="fake:team",
    deadline="60",
):
    """`muse ask` where no file may grow beyond some bytes, as on a disk that is nearly full."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return subprocess.run(
        [*MUSE, "ask", "Which?", "--model", model, "--deadline", deadline, *args],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        preexec_fn=limit,
    )


def test_the_answer_is_written_to_a_file_as_well(capsys, tmp_path):
    file = tmp_path / "answer.txt"
    file.write_text("an older one, which was longer")
    code, out, err = said(capsys, "--model", "fake:team", "-o", str(file), "--json")
    assert (code, err, file.read_text()) == (0, "", "42\n") and json.loads(out)["answer"] == "42"


def test_a_dash_is_standard_output(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = said(capsys, "--model", "fake:answer", "-o", "-")
    assert code == 0 and out.count("  42\n") == 1 and list(tmp_path.iterdir()) == []


def test_a_run_that_ends_early_has_its_best_answer_in_the_file(capsys, tmp_path):
    file = tmp_path / "answer.txt"
    said(capsys, "--model", "fake:cut", "--output", str(file))
    assert file.read_text() == "4\n"
    assert said(capsys, "--model", "fake:silent", "--output", str(tmp_path / "none"))[0] == 1
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("option", "place"),
    [
        ("--output", "file/answer"),
        ("--output", "."),
        ("--output", "nowhere/answer"),
        ("--save-images", "file"),
        ("--trace", "file"),
    ],
)
def test_a_place_that_cannot_be_is_told_before_anything_is_asked(capsys, tmp_path, option, place):
    (tmp_path / "file").write_text("mine")
    code, out, err = said(capsys, "--model", "fake:team", option, str(tmp_path / place))
    assert (code, out) == (1, "") and err.count("\n") == 1 and "cannot be written" in err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_costs_no_answer(environment, tmp_path, form):
    options = ["--trace", "t", "--save-images", "i", "--output", "a"]
    done = limited(environment, tmp_path, 0, *options, *form)
    told = [line.partition(" cannot be written to")[0] for line in done.stderr.splitlines()]
    assert (done.returncode, told) == (5, ["The trace", "The images", "The answer"])
    answer = json.loads(done.stdout)["answer"] if form else done.stdout
    assert "42" in answer and "picture-" not in done.stdout
    assert not list(tmp_path.rglob("*.part"))


def test_a_disk_that_fills_up_leaves_a_trace_that_can_be_read(environment, tmp_path):
    done = limited(environment, tmp_path, 700, "--trace", "t")
    assert done.returncode == 5 and "  42\n" in done.stdout
    assert 0 < len(read_trace(tmp_path / "t")) < 10


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_output_that_fills_up_leaves_the_answer_on_stderr(environment, tmp_path, form):
    with open(tmp_path / "out", "w") as full:
        done = limited(environment, tmp_path, 100, *form, stdout=full)
    assert (done.returncode, done.stderr) == (
        5,
        f"42\nThe output cannot be written: {TOO_LARGE}.\n",
    )


TOO_LARGE = os.strerror(errno.EFBIG)


def test_votes_that_cannot_be_kept_cost_no_answer(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "musespark").write_text("in the way")
    code, out, err = said(capsys, "--model", "fake:team", "--kind", "sums")
    assert code == 5 and "  42\n" in out and err.count("\n") == 1 and "The store" in err
    (tmp_path / "musespark").unlink()

    def full(self, votes):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(VoteStore, "add", full)
    code, out, err = said(
        capsys, "--model", "fake:answer", "--model", "fake:answer", "--kind", "sums"
    )
    assert code == 5 and "  42\n" in out
    assert err.startswith("The votes of this run could not be stored") and err.count("\n") == 1


def test_no_answer_counts_more_than_no_file(environment, tmp_path):
    done = limited(environment, tmp_path, 0, "--trace", "t", model="fake:slow", deadline="0.1")
    assert done.returncode == 1 and "The budget ran out" in done.stderr


@pytest.mark.parametrize("args", [[], ["-"]])
def test_the_question_comes_from_a_pipe(environment, args):
    done = subprocess.run(
        [*MUSE, "ask", *args, "--model", "fake:answer", "--json"],
        env=environment,
        input="Which?\n",
        text=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "") and json.loads(done.stdout)["answer"] == "42"


def test_a_person_without_a_question_is_not_waited_for(environment):
    terminal = Terminal(environment, "ask", "--model", "fake:answer")
    assert "There is no question" in terminal.read() and terminal.close() == 2


def test_a_full_disk_is_told_from_a_wrong_place(tmp_path, monkeypatch, capsys):
    def full(self, directory):
        raise TraceUnwritable(directory, "full") from OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("musespark.cli.commands.run_files.TraceWriter.__init__", full)
    code, out, err = said(capsys, "--model", "fake:team", "--trace", str(tmp_path / "t"))
    assert code == 5 and "  42\n" in out and err.count("\n") == 1
