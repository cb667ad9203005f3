"""The lines on the screen."""

from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from musespark.cli.view.board import Board
from musespark.cli.view.frames import final_frame, live_frame, summary_lines
from musespark.cli.view.image_preview import preview
from musespark.events import (
    Abstained,
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    AnswerDelta,
    Pictured,
    RunEnded,
    RunStarted,
    Spent,
    Thought,
    Verified,
)
from musespark.images import encode_png
from musespark.usage import Usage

LAKE = encode_png(
    np.kron(
        np.array([[[200, 220, 250], [0, 0, 120]], [[0, 0, 120], [200, 220, 250]]], np.uint8),
        np.ones((32, 32, 1), np.uint8),
    )
)


def team(children: int, question: str = "Use 25, 3, 7 and 12 to make 66.") -> Board:
    board = (
        Board()
        .after(RunStarted("r", "contemplating", "nano", question))
        .after(AgentStarted("main", None, question))
    )
    board = board.after(Thought("main", "countdown: "))
    for number in range(children):
        board = board.after(AgentStarted(f"t{number}", "main", f"{number}*25"))
        board = board.after(Thought(f"t{number}", f"={number * 25};12,7+19n"))
    return board.after(Spent("main", Usage(tokens=1234, critical_path=88, threads=children)))


def plain(lines) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def test_a_team_while_it_thinks():
    board = team(3).after(AgentReturned("t0", "")).after(AgentReturned("t1", "(25-3)*3"))
    board = board.after(AgentStarted("t20", "t2", "7-3")).after(Thought("t20", "one\ntwo"))
    assert plain(live_frame(board, 70, 24, 1.26, previews=True)) == [
        "",
        "  Use 25, 3, 7 and 12 to make 66.",
        "  nano · contemplating",
        "",
        "  main     waiting    countdown:",
        "  ├ 0*25   returned   nothing",
        "  ├ 1*25   returned   (25-3)*3",
        "  └ 2*25   waiting    =50;12,7+19n",
        "    └ 7-3  thinking   one two",
        "",
        "  critical path 88 · 1,234 tokens · 3 threads · 1.3 s · $0",
    ]


def test_how_a_run_ended_stays_on_screen():
    board = team(3).after(AgentReturned("t0", "(25 - 3) * 3")).after(AgentCancelled("t1", "budget"))
    board = board.after(AgentCancelled("t2", "another thread won")).after(
        AnswerDelta("(25 - 3) * 3")
    )
    board = board.after(Verified(True, "arithmetic")).after(AgentReturned("main", "(25 - 3) * 3"))
    board = board.after(RunEnded("(25 - 3) * 3", True, Usage(1234, 88, 3, 1.5, 0.00213)))
    kept = [Path("/tmp/muse/picture-0007.png"), Path("/tmp/muse/picture-0009.png")]
    assert plain(final_frame(board, 80, previews=False, kept=kept)) == [
        "",
        "  Use 25, 3, 7 and 12 to make 66.",
        "  nano · contemplating",
        "",
        "  main    answered",
        "  ├ 0*25  won        (25 - 3) * 3",
        "  ├ 1*25  cancelled  the budget ran out",
        "  └ 2*25  cancelled  another thread won",
        "",
        "  (25 - 3) * 3",
        "",
        "  verified by arithmetic",
        "  critical path 88 · 1,234 tokens · 3 threads · 1.5 s · $0.0021",
        "  pictures  /tmp/muse/picture-0007.png",
        "            /tmp/muse/picture-0009.png",
        "",
    ]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([Verified(True, "arithmetic"), RunEnded("42", True, Usage())], ["verified by arithmetic"]),
        (
            [Abstained("it has 6 numbers"), RunEnded("42", False, Usage(), status="abstained")],
            ["abstained: it has 6 numbers"],
        ),
        ([RunEnded("42", False, Usage())], ["unchecked: nothing here can check it"]),
        (
            [Verified(False, "arithmetic"), RunEnded("42", False, Usage(), (), "length")],
            [
                "refuted: arithmetic found it wrong",
                "best answer so far: the token limit ended the run",
            ],
        ),
        (
            [RunEnded("42", False, Usage(), (), "length", "it wrote\nall\x1b it was allowed")],
            [
                "unchecked: nothing here can check it",
                "best answer so far: the token limit ended the run (it wrote all\N{REPLACEMENT CHARACTER} it was allowed)",
            ],
        ),
        (
            [RunEnded("42", False, Usage(), (), "cut")],
            [
                "unchecked: nothing here can check it",
                "best answer so far: the model's reply broke off",
            ],
        ),
        (
            [AnswerDelta("42")],
            ["unchecked: nothing here can check it", "best answer so far: the run was stopped"],
        ),
    ],
)
def test_what_is_said_of_an_answer(events, said):
    board = team(0)
    for event in events:
        board = board.after(event)
    assert plain(summary_lines(board, [], 100))[:-1] == [
        "",
        "  42",
        "",
        *(f"  {line}" for line in said),
    ]


@pytest.mark.parametrize("width", [20, 60, 100, 200])
@pytest.mark.parametrize("height", [8, 23, 60])
@pytest.mark.parametrize("children", [0, 1, 16, 64])
def test_a_frame_fits_its_terminal(width, height, children):
    board = team(children, "数字を掛け算する " * 9 + "x" * 300).after(
        Thought("main", "考える" * 80)
    )
    for _ in range(4):
        board = board.after(Pictured("main", LAKE, "what it sees", 64, 64))
    longer = board.after(AnswerDelta("9\n" * 9))
    for lines in (
        live_frame(board, width, height, 1.0, True),
        live_frame(longer, width, height, 1.0, False),
    ):
        assert len(lines) <= height
        assert all(line.cell_len < width for line in lines)
    lines = final_frame(board, width, True, [])
    assert len(lines) < 60 and all(line.cell_len < width for line in lines)


def test_lanes_without_room_are_counted_and_those_that_think_are_shown():
    board = team(16)
    for number in range(0, 16, 2):
        board = board.after(AgentReturned(f"t{number}", ""))
    lines = plain(live_frame(board, 80, 16, 0.0, previews=False))
    assert [line.split()[1] for line in lines[5:-3]] == [
        f"{number}*25" for number in range(16) if number % 2
    ]
    assert lines[-3] == "  and 8 more: 8 returned"


def test_the_last_lines_of_an_agent_alone():
    board = team(0).after(Thought("main", "1\n2\n3\n4\n\n5"))
    assert plain(live_frame(board, 80, 24, 0.0, previews=False))[4:-2] == [
        "  2",
        "  3",
        "  4",
        "  5",
    ]


def test_images_are_shown_side_by_side_the_newest_last_with_their_agents_task():
    board = team(2)
    for agent in ("main", "t0", "t1"):
        board = board.after(Pictured(agent, LAKE, "what it sees", 64, 64))
    lines = plain(live_frame(board, 60, 40, 0.0, previews=True))
    captions = next(
        number for number, line in enumerate(lines) if line.endswith("1*25") and "0*25" in line
    )
    assert lines[captions] == "  0*25                      1*25"
    assert lines[captions - 1] == "  " + "▀" * 24 + "  " + "▀" * 24
    assert not any("▀" in line for line in plain(live_frame(board, 60, 12, 0.0, previews=True)))


def test_control_characters_are_shown_and_never_obeyed():
    board = (
        team(1, "\x1b[2Jhello\u202e")
        .after(Thought("t0", "\x1b]0;title\x07"))
        .after(RunEnded("4\x1b[31m\t2\r", False, Usage()))
    )
    for lines in (
        live_frame(board, 80, 24, 0.0, False),
        final_frame(board, 80, False, [Path("/tmp/\x1b[1m.png")]),
    ):
        assert not any(set(line.plain) & set("\x1b\x07\x9b\r\t\u202e") for line in lines)


@pytest.mark.parametrize("size", [(64, 64), (1, 1), (300, 20), (7, 90)])
def test_a_preview_keeps_its_shape_and_its_colours(size):
    width, height = size
    array = np.zeros((height, width, 3), np.uint8)
    array[-1, -1] = 255
    lines = preview(encode_png(array), 16)
    assert all(cell_len(line.plain) == lines[0].cell_len for line in lines)
    assert max(lines[0].cell_len, 2 * len(lines)) in (15, 16, 17)
    triplet = lines[0].spans[0].style.color.triplet
    assert (triplet.red, triplet.green, triplet.blue) == (0, 0, 0) or size == (1, 1)


def test_what_is_no_image_has_no_preview():
    assert preview(b"\x89PNG\r\n\x1a\n...", 16) == ()
    board = team(0).after(Pictured("main", b"\x89PNG", "broken", 1, 1))
    assert "broken" not in "".join(plain(live_frame(board, 80, 40, 0.0, previews=True)))
