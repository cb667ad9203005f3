"""A team's run as a person sees it: on a terminal, in a pipe, as JSON."""

from io import StringIO

import pytest
from cli.view.boards import agents, board_of, explorers, plain
from hypothesis import given, strategies as st
from rich.console import Console
from teams import RIGHT, agreed, team_run

from musespark.budget import Limits
from musespark.cli.view import wording
from musespark.cli.view.board import Board
from musespark.cli.view.frames import final_frame, live_frame
from musespark.cli.view.groups import relabel
from musespark.cli.view.run_views import LiveView
from musespark.events import (
    AgentCancelled,
    AgentFailed,
    AgentReturned,
    AgentStarted,
    Agreed,
    AnswerDelta,
    Changed,
    Decided,
    Judged,
    Noted,
    RunEnded,
    Spent,
    StageStarted,
    Thought,
    ToolCalled,
    ToolReturned,
)
from musespark.usage import Usage


def test_a_team_while_it_explores():
    events = explorers(
        "openai:gpt-5: as it would",
        "mistral:small: Work backwards.",
        "nano: Estimate first.",
        "llama: Count.",
    )
    events += [
        Thought("agent-1", "333 of\nthem"),
        ToolCalled("agent-2", "c1", "python", '{"code": "print(\\n6 * 7)"}'),
        AgentReturned("agent-3", "So it is.\nAnswer: 466"),
        Agreed((("agent-3",),), ("466",)),
        AgentFailed(
            "agent-4", "ModelFailed", "The model 'llama' failed with status 500: overloaded."
        ),
        Spent("main", Usage(tokens=1200, critical_path=9, threads=4, calls=5, usd=0.0123)),
    ]
    board = board_of(events, limits=Limits(usd=0.5, seconds=60))
    assert plain(live_frame(board, 80, 24, 2.5, False)) == [
        "",
        "  How many?",
        "  contemplating · explore · nano",
        "",
        "    agent-1  gpt-5            thinking   333 of them",
        "    agent-2  small            python     print( 6 * 7)",
        "  A agent-3  Estimate first.  returned   466",
        "    agent-4  llama            failed     status 500: overloaded.",
        "",
        "  A ● 1  466",
        "",
        "  critical path 9 · 1,200 tokens · 4 agents · 5 calls · 2.5 of 60 s",
        "  $0.012 of $0.50",
    ]


def test_how_a_team_settled_stays_on_screen():
    events = explorers("nano: one", "nano: two", "nano: three", "nano: four")
    for agent, answer in (("agent-1", "7"), ("agent-2", "8"), ("agent-3", "8")):
        events += [AgentReturned(agent, f"Answer: {answer}")]
    events += [
        AgentCancelled("agent-4", "it lagged"),
        Agreed((("agent-2", "agent-3"), ("agent-1",)), ("8", "7")),
        StageStarted("refine", 1),
        AgentStarted("agent-1/round-1", "main", "reconsiders"),
        AgentReturned("agent-1/round-1", "Answer: 8"),
        Changed("agent-1", "7", "8", False),
        Agreed((("agent-1", "agent-2", "agent-3"),), ("8",), True, "all agree"),
        StageStarted("aggregate"),
        Decided("vote", ("agent-1", "agent-2", "agent-3"), "3 of 3 say so."),
        AnswerDelta("It is 8."),
        RunEnded("It is 8.", False, Usage(900, 40, 5, 3.0, 0.2, 100, 6)),
    ]
    assert plain(final_frame(board_of(events), 80, False, [])) == [
        "",
        "  How many?",
        "  contemplating · explore › refine 1 › aggregate · nano",
        "",
        "  A agent-1  one    won        8  was 7",
        "  A agent-2  two    won        8",
        "  A agent-3  three  won        8",
        "    agent-4  four   cancelled  it lagged",
        "",
        "  A ●●● 3  8",
        "",
        "  It is 8.",
        "",
        "  decided by vote (agent-1, agent-2 and agent-3): 3 of 3 say so.",
        "  unchecked: nothing here can check it",
        "  critical path 40 · 900 tokens · 4 agents · 6 calls · 3.0 s · $0.20",
        "",
    ]


def test_a_wide_terminal_tells_the_way_and_the_tokens_of_each_agent():
    events = [
        *explorers("openai:gpt-5: Work backwards."),
        Thought("agent-1", "from 6"),
        Spent("agent-1", Usage(tokens=12_000)),
        AgentReturned("agent-1", "7"),
        AgentStarted("agent-1/round-1", "main", "reconsiders"),
        Thought("agent-1/round-1", "from 7"),
        Spent("agent-1/round-1", Usage(tokens=345)),
    ]
    (line,) = agents(board_of(events), 120)
    assert line.startswith(
        "    agent-1  gpt-5 · Work backwards.  thinking   from 7 "
    ) and line.endswith(" 12k")
    assert len(line) == 119


def test_a_group_keeps_its_letter_when_it_grows_leads_or_is_reconsidered():
    board = board_of(
        [
            *explorers("a", "b", "c"),
            Agreed((("agent-1",),), ("7",)),
            Agreed((("agent-1",), ("agent-2",)), ("7", "8")),
        ]
    )
    assert wording.agreement(board.groups) == "A 7 (agent-1) · B 8 (agent-2)"
    board = board.after(Agreed((("agent-2", "agent-3"), ("agent-1",)), ("8.0", "7")))
    assert wording.agreement(board.groups) == "B 8.0 (agent-2 and agent-3) · A 7 (agent-1)"
    board = board.after(Agreed((("agent-1",), ("agent-2",), ("agent-3",)), ("8.0", "9", "7")))
    assert [group.letter for group in board.groups] == ["B", "C", "A"]


def test_who_changes_its_answer_changes_its_group_at_once():
    board = board_of(
        [
            *explorers("a", "b"),
            AgentReturned("agent-1", "7"),
            AgentReturned("agent-2", "8"),
            Agreed((("agent-1",), ("agent-2",)), ("7", "8")),
            StageStarted("refine", 1),
            *(AgentStarted(f"agent-{n}/round-1", "main", "reconsiders") for n in (1, 2)),
            *(AgentReturned(f"agent-{n}/round-1", "Answer") for n in (1, 2)),
        ]
    )
    assert [board.group(lane).letter for lane in board.lanes.values() if lane.agent != "main"] == [
        "A",
        "B",
        "A",
        "B",
    ]
    board = board.after(Changed("agent-2", "8", "7", False)).after(
        Changed("agent-1", "7", "9", False)
    )
    assert (
        board.group(board.lanes["agent-2/round-1"]).letter == "A"
        and board.group(board.lanes["agent-1/round-1"]) is None
    )
    board = board.after(Agreed((("agent-1",), ("agent-2",)), ("9.0", "7")))
    assert board.group(board.lanes["agent-1/round-1"]).answer == "9.0"


_SPLITS = st.lists(
    st.tuples(st.sampled_from([f"agent-{n}" for n in range(9)]), st.sampled_from("pqrst")),
    max_size=9,
).map(dict)


@given(st.lists(_SPLITS.map(agreed), max_size=6))
def test_letters_are_distinct_and_the_groups_are_those_of_the_event(changes):
    groups = ()
    for change in changes:
        before, groups = groups, relabel(groups, change)
        assert len({group.letter for group in groups}) == len(groups)
        assert [(group.agents, group.answer) for group in groups] == [
            *zip(change.groups, change.answers, strict=True)
        ]
        said = {group.answer: group.letter for group in before}
        assert all(said.get(group.answer, group.letter) == group.letter for group in groups)


def test_a_round_takes_the_place_of_the_one_before_and_threads_are_shown_while_their_agent_works():
    events = [
        *explorers("nano: one", "nano: two"),
        AgentStarted("agent-1/thread-1", "agent-1", "7 * 8"),
        Thought("agent-1/thread-1", "=56"),
    ]
    board = board_of(events)
    assert agents(board) == [
        "    agent-1  one  waiting",
        "    └ 7 * 8       thinking   =56",
        "    agent-2  two  thinking",
    ]
    for event in (
        AgentReturned("agent-1/thread-1", "56"),
        AgentReturned("agent-1", "It is\n56"),
        StageStarted("refine", 1),
        AgentStarted("agent-2/round-1", "main", "reconsiders"),
    ):
        board = board.after(event)
    assert agents(board) == [
        "    agent-1  one  returned   It is 56",
        "    agent-2  two  thinking   reconsiders",
    ]


def test_what_an_agent_is_at():
    board = board_of([*explorers("nano: Count."), Thought("agent-1", "Let me see.")])
    at = [board]
    for event in (
        ToolCalled("agent-1", "c1", "search", '{"query": "sum", "most": 3}'),
        ToolCalled("agent-1", "c2", "python", "{oops"),
        ToolReturned("agent-1", "c2", "Traceback\n  line 1\nZeroDivisionError: no", True),
        ToolReturned("agent-1", "c1", "42"),
        Noted("agent-1", "It waits 3 s, as it was asked to."),
        Thought("agent-1", " So:"),
    ):
        at.append(at[-1].after(event))
    assert [agents(board)[0].partition("Count.  ")[2] for board in at] == [
        "thinking   Let me see.",
        "search     query=sum, most=3",
        "python     {oops",
        "search     query=sum, most=3",
        "thinking   → 42",
        "thinking   It waits 3 s, as it was asked to.",
        "thinking   Let me see. So:",
    ]


def test_agents_that_compare_answers_are_shown_while_they_do():
    board = board_of(
        [*explorers("nano: one"), AgentStarted("judge-1", "main", "nano: agent-1 or agent-2?")]
    )
    assert agents(board)[1] == "    judge-1  agent-1 or agen…  thinking"
    board = board.after(AgentReturned("judge-1", "A")).after(
        Agreed((("agent-1",), ("agent-2",)), ("7", "8"))
    )
    board = board.after(Judged("nano", "agent-1", "agent-2", "It counts right."))
    assert len(agents(board)) == 1
    assert "  agent-1 over agent-2: It counts right." in plain(
        live_frame(board, 80, 24, 0.0, False)
    )


def test_a_large_team_has_a_letter_for_each_agent_that_has_no_line():
    events = team_run(64)
    lines = agents(board_of(events[: int(len(events) * 0.7)]))
    assert len(lines) < 17 and lines[-1].startswith("  and ") and " more: " in lines[-1]
    hidden = int(lines[-1].split()[1])
    assert hidden + len(lines) - 2 == 64 and len(lines[-2].strip()) == hidden
    assert {"A", "B", "!", "·"} <= set(lines[-2])


def test_when_a_large_team_is_done_every_state_is_shown():
    lines = plain(final_frame(board_of(team_run(64, seed=3)), 80, False, []))
    for state in ("won", "returned", "failed", "cancelled"):
        assert any(line[4:].startswith("agent-") and f"  {state} " in line for line in lines)


@pytest.mark.parametrize("part", [0.1, 0.4, 0.7, 0.95, 1.0])
@pytest.mark.parametrize("size", [1, 2, 8, 16, 64])
@pytest.mark.parametrize("width", [20, 60, 100, 200])
def test_a_frame_of_a_team_fits_its_terminal(part, size, width):
    events = team_run(size, seed=size)
    board = board_of(
        events[: int(len(events) * part)],
        limits=Limits(usd=0.5, tokens=10**6, calls=200, seconds=60),
    )
    for height in (8, 23, 60):
        lines = live_frame(board, width, height, 1.0, True)
        assert len(lines) <= height and all(line.cell_len < width for line in lines)
    assert all(
        line.cell_len < width
        for line in final_frame(board, width, True, [])
        if line.plain.strip() != board.answer
    )


def test_sixty_columns_show_state_model_and_answer_of_each_agent():
    lines = plain(final_frame(board_of(team_run(8, seed=3)), 60, False, []))
    shown = [line.split() for line in lines if line[4:].startswith("agent-")]
    assert len(shown) == 8 and any("won" in line and RIGHT in line for line in shown)


def test_a_live_run_of_a_team_ends_with_what_stays():
    console = Console(
        file=(out := StringIO()),
        force_terminal=True,
        width=80,
        height=24,
        color_system="standard",
        _environ={},
    )
    show, board = LiveView(console), Board()
    for event in team_run(8, seed=3):
        board = board.after(event)
        show.happened(board, event, None)
    show.ended(board, [])
    last = out.getvalue().rpartition("\x1b[?2026h")[2]
    assert "decided by vote" in last and "\x1b[?25h" in last


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("verified", "verification"),
        ("vote", "vote"),
        ("weigh", "weighed votes"),
        ("judge", "a judge"),
        ("merge", "merging"),
        ("mine", "mine"),
    ],
)
def test_how_it_was_decided(by, said):
    assert wording.decision(Decided(by, (), "So.")) == f"decided by {said}: So."


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (0, "$0"),
        (0.00001, "under $0.0001"),
        (0.00213, "$0.0021"),
        (0.0231, "$0.023"),
        (0.2, "$0.20"),
        (0.5, "$0.50"),
        (12.25, "$12.25"),
    ],
)
def test_money(usd, said):
    assert wording.money(usd) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (1234, "1.2k"), (12_345, "12k"), (5_600_000, "5.6M"), (10**8, "100M")],
)
def test_short_numbers(number, said):
    assert wording.short(number) == said
