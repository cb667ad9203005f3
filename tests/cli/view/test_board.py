"""A run's events folded into what a person should see."""

from musespark.answer import fold
from musespark.cli.view.board import KEPT_THOUGHTS, Board
from musespark.content import Request
from musespark.events import (
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    AnswerDelta,
    Pictured,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    Thought,
    Verified,
)
from musespark.models.fake import DOT, FakeModel
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

BEGUN = (
    RunStarted("r1", "contemplating", "nano", "Use 3, 4 and 5 to make 60."),
    AgentStarted("main", None, "Use 3, 4 and 5."),
    AgentStarted("a", "main", "3*4"),
    AgentStarted("b", "main", "4*5"),
)


def board_of(*events) -> Board:
    board = Board()
    for event in events:
        board = board.after(event)
    return board


def states(board: Board) -> dict[str, str]:
    return {agent: lane.state for agent, lane in board.lanes.items()}


async def test_a_whole_run_adds_up_to_its_answer():
    events = [event async for event in run(Team.of(FakeModel("team")), Request.of("Which?"))]
    board, answer = board_of(*events), fold(events)
    assert (
        (board.answer, board.verified, board.finish_reason)
        == (answer.answer, answer.verified, answer.finish_reason)
        == ("42", True, "finished")
    )
    assert (board.usage, board.images, board.at) == (answer.usage, answer.images, events[-1].at)
    assert states(board) == {"main": "answered", "a": "returned", "b": "won"}
    assert [
        (lane.task, lane.thoughts, lane.outcome, lane.images, lane.depth)
        for lane in board.lanes.values()
    ] == [
        ("Which?", "Two ways.", "42", 0, 0),
        ("the first way", "no luck", "nothing", 0, 1),
        ("the second way", "", "42", 1, 1),
    ]
    assert board.over and not board.failed


def test_a_parent_waits_until_its_last_child_has_ended():
    board = board_of(*BEGUN)
    assert states(board) == {"main": "waiting", "a": "thinking", "b": "thinking"}
    board = board.after(AgentStarted("a1", "a", "12*5")).after(AgentReturned("b", ""))
    assert states(board) == {"main": "waiting", "a": "waiting", "b": "returned", "a1": "thinking"}
    assert (board.running("main"), board.running("a"), board.lanes["a1"].depth) == (1, 1, 2)
    board = board.after(AgentCancelled("a1", "it was late")).after(AgentReturned("a", "60"))
    assert states(board) == {
        "main": "thinking",
        "a": "returned",
        "b": "returned",
        "a1": "cancelled",
    }
    assert board.lanes["a1"].outcome == "it was late"


def test_who_returned_the_answer_has_won_once_it_is_the_answer():
    board = board_of(
        *BEGUN,
        AgentReturned("a", "(3*4)*5"),
        AgentReturned("b", ""),
        AnswerDelta("(3*4)"),
        AnswerDelta("*5"),
    )
    assert states(board)["a"] == "returned" and not board.over
    board = board.after(RunEnded(" (3*4)*5 ", True, Usage(tokens=9)))
    assert states(board) == {"main": "thinking", "a": "won", "b": "returned"}
    assert (
        "won"
        not in states(
            board_of(*BEGUN, AgentReturned("a", ""), RunEnded("", False, Usage()))
        ).values()
    )


def test_the_answer_and_its_check_as_they_come():
    board = board_of(*BEGUN, AnswerDelta("6"), AnswerDelta("0"), Verified(False, "arithmetic"))
    assert (board.answer, board.verified, board.checked_by, board.finish_reason) == (
        "60",
        False,
        "arithmetic",
        None,
    )


def test_costs_replace_each_other_and_threads_are_counted_until_they_are_told():
    board = board_of(*BEGUN, Spent("main", Usage(tokens=5)), Spent("a", Usage(tokens=3)))
    assert (board.usage.tokens, board.threads) == (5, 2)
    assert board.after(Spent("main", Usage(tokens=9, threads=7))).threads == 7


def test_only_the_latest_thoughts_are_kept():
    board = board_of(*BEGUN, *(Thought("a", "0123456789") for _ in range(KEPT_THOUGHTS // 5)))
    assert len(board.lanes["a"].thoughts) == KEPT_THOUGHTS and board.lanes["a"].thoughts.endswith(
        "789"
    )


def test_a_run_that_failed_or_was_left():
    assert board_of(*BEGUN, RunFailed("ModelFailed", "It broke.")).over
    left = board_of(*BEGUN, AgentReturned("b", "x")).broken_off(7.5, "the run was stopped")
    assert states(left) == {"main": "cancelled", "a": "cancelled", "b": "returned"}
    assert (left.at, left.finish_reason, left.over, left.lanes["a"].outcome) == (
        7.5,
        None,
        False,
        "the run was stopped",
    )


def test_a_board_is_a_value():
    board = board_of(*BEGUN)
    later = board.after(Pictured("a", DOT, "a dot", 1, 1)).after(AgentReturned("a", "x"))
    assert states(board)["a"] == "thinking" and not board.images and board.lanes["a"].images == 0
    assert len(later.images) == later.lanes["a"].images == 1


def test_events_of_agents_that_never_started_are_shown_all_the_same():
    assert board_of(Thought("ghost", "boo")).lanes["ghost"].thoughts == "boo"
