"""Lines from a terminal, through prompt_toolkit's own pipe."""

import stat

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from musespark.cli.chat.line_input import TerminalInput, history_path

UP, CTRL_C, CTRL_D, ALT_ENTER = "\x1b[A", "\x03", "\x04", "\x1b\r"


@pytest.fixture(autouse=True)
def own_data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def typed():
    """A function that types keys, and gives the lines that a new terminal reads of them."""

    def read(*keys: str) -> list[str | None]:
        with create_pipe_input() as pipe:
            words = {"/mode": ["instant", "thinking"]}
            lines = TerminalInput(lambda name: words.get(name, []), pipe, DummyOutput())
            found = []
            for each in keys:
                pipe.send_text(each)
                found.append(lines.read())
            return found

    return read


def test_enter_sends_and_alt_enter_begins_a_line(typed):
    assert typed("one\r", f"a{ALT_ENTER}b\r", "two\n") == ["one", "a\nb", "two"]


def test_what_is_pasted_is_one_line(typed):
    assert typed("\x1b[200~def f():\n    return 1\n\x1b[201~ what is it?\r") == [
        "def f():\n    return 1\n what is it?"
    ]


def test_control_c_gives_a_line_up_and_control_d_ends(typed):
    assert typed(f"half{CTRL_C}", CTRL_D) == ["", None]


def test_lines_are_remembered_over_sessions(typed):
    typed("first\r", "second\r")
    assert typed(f"{UP}{UP}\r") == ["first"]
    assert stat.S_IMODE(history_path().stat().st_mode) == 0o600


def test_a_history_that_cannot_be_written_is_no_reason_to_stop(typed, own_data):
    own_data.write_text("in the way")
    assert typed("one\r", f"{UP}\r") == ["one", "one"]


def test_commands_and_their_words_are_completed(typed):
    assert typed("/mode th\t\r", "/cl\t\r") == ["/mode thinking", "/clear"]
