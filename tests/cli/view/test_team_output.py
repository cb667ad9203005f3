"""A team in a pipe and as JSON; and events in any order, however hostile."""

import json
from io import StringIO

import pytest
from cli.view.boards import board_of, explorers
from hypothesis import given, settings, strategies as st
from strategies import events as any_event
from teams import RIGHT, WRONG, team_run

from musespark.cli.view import wording
from musespark.cli.view.board import Board
from musespark.cli.view.frames import final_frame, live_frame
from musespark.cli.view.run_views import JsonView, LinesView
from musespark.events import (
    AgentFailed,
    AgentReturned,
    AgentStarted,
    Agreed,
    AnswerDelta,
    AnswerDropped,
    Changed,
    Decided,
    Judged,
    Noted,
    StageStarted,
    Thought,
    ToolCalled,
    ToolReturned,
)

HOSTILE = "\x1b[2J\x1b]0;title\x07\r\u202e\x9b1m數\ud800"


_SCRIPT = team_run(9, seed=1)


_NAMES = st.sampled_from(
    ["main", "agent-1", "agent-1/round-1", "agent-2", "agent-1/sub-1", "judge-1", HOSTILE, ""]
)


_hostile = st.one_of(
    st.builds(AgentStarted, _NAMES, st.none() | _NAMES, st.just(HOSTILE)),
    st.builds(Thought, _NAMES, st.just(HOSTILE)),
    st.builds(
        ToolCalled,
        _NAMES,
        st.just(HOSTILE),
        st.just(HOSTILE),
        st.sampled_from([HOSTILE, json.dumps({HOSTILE[:9]: [1]})]),
    ),
    st.builds(ToolReturned, _NAMES, st.just(HOSTILE), st.just(HOSTILE)),
    st.builds(Noted, _NAMES, st.just(HOSTILE)),
    st.builds(AgentReturned, _NAMES, st.just(HOSTILE)),
    st.builds(AgentFailed, _NAMES, st.just("E"), st.just(HOSTILE)),
    st.builds(
        Agreed,
        st.lists(st.lists(_NAMES, max_size=3).map(tuple), max_size=4).map(tuple),
        st.lists(st.just(HOSTILE), max_size=5).map(tuple),
        st.booleans(),
        st.just(HOSTILE),
    ),
    st.builds(Changed, _NAMES, st.just(HOSTILE), st.just(HOSTILE), st.booleans()),
    st.builds(Judged, st.just(HOSTILE), _NAMES, _NAMES, st.just(HOSTILE)),
    st.builds(Decided, st.just(HOSTILE), st.lists(_NAMES, max_size=3).map(tuple), st.just(HOSTILE)),
    st.builds(AnswerDropped, st.just(HOSTILE)),
    st.builds(AnswerDelta, st.just(HOSTILE)),
    st.builds(StageStarted, st.sampled_from(["explore", "refine"]), st.integers(0, 2)),
)


_anything = st.lists(st.one_of(_hostile, st.sampled_from(_SCRIPT), any_event), max_size=25)


@settings(deadline=None, max_examples=150)
@given(_anything, st.sampled_from([12, 20, 40, 60, 80, 120]), st.integers(1, 40))
def test_any_events_in_any_order_fit_and_are_never_obeyed(events, width, height):
    board = board_of(events)
    frame = live_frame(board, width, height, 0.5, False)
    assert len(frame) <= height
    lines = [*frame, *final_frame(board, width, False, [])]
    answer = {
        line.strip() for line in wording.clean(board.answer).split("\n")
    }  # it is not broken into lines, to be copied
    assert all(line.cell_len < width for line in lines if line.plain.strip() not in answer)
    for line in lines:
        assert not set(line.plain) & set("\x1b\x07\x9b\r\t\n\u202e\ud800"), line.plain


@settings(deadline=None, max_examples=60)
@given(events=_anything)
def test_any_events_in_any_order_can_be_told_in_a_pipe_and_as_json(events):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out := StringIO())
        patch.setattr("sys.stderr", StringIO())
        for show in (LinesView(), JsonView()):
            board = Board()
            for event in events:
                board = board.after(event)
                show.happened(board, event, None)
            show.ended(board, [])
    assert not set(out.getvalue()) & set("\x1b\x07\x9b\r\u202e\ud800")


def test_a_pipe_tells_the_whole_story(capsys):
    show, board = LinesView(), Board()
    for event in team_run(5, seed=4):
        board = board.after(event)
        show.happened(board, event, None)
    show.ended(board, [])
    out = capsys.readouterr().out
    told = [line[8:] for line in out.splitlines()]
    for line in (
        "stage: explore",
        "agent-1  starts · anthropic:claude-haiku-4-5: as it would alone",
        "agent-2  failed: status 500: overloaded.",
        "agent-3  uses python: print(sum(1 for n in range(1000) if n % 3 == 0 or n % 5 == 0))",
        "agent-3  got: 467",
        "agent-4  returned Inclusion and exclusion gives it. Answer: 533",
        "agreement: A 533 (agent-4) · B 466 (agent-3)",
        "agent-5  It lags; its question is asked a second time beside it.",
        "stage: refine 1",
        "agent-4  kept 533",
        "agreement: B 466 (agent-3, agent-5 and agent-1) · A 533 (agent-4)",
        "anthropic:claude-haiku-4-5 judged: agent-3 over agent-4: It counts from 1, as was asked.",
    ):
        assert line in told, line
    assert (
        out.count(
            "  decided by vote (agent-3, agent-5 and agent-1): 4 answers, most of them 466.\n"
        )
        == 1
    )


def test_a_pipe_tells_threads_of_different_agents_apart(capsys):
    show, board = LinesView(), Board()
    for event in [
        *explorers("nano: one"),
        AgentStarted("agent-1/thread-1", "agent-1", "7 * 8"),
        Thought("agent-1/thread-1", "=56\n"),
        AgentReturned("agent-1/thread-1", "56"),
        AgentStarted("agent-1/sub-1", "agent-1", "Count them. " * 20),
        Thought("agent-1/sub-1", "1, 2\n"),
    ]:
        board = board.after(event)
        show.happened(board, event, None)
    told = [line[8:] for line in capsys.readouterr().out.splitlines()][3:]
    assert told[:3] == [
        "agent-1  spawned 7 * 8",
        "agent-1 › 7 * 8  thinks =56",
        "agent-1 › 7 * 8  returned 56",
    ]
    assert told[4] == "agent-1 › Count them. Count them. Count them. Coun…  thinks 1, 2"


def test_json_tells_who_answered_what_and_how_it_was_decided(capsys):
    show, board = JsonView(), board_of(team_run(8, seed=3))
    show.ended(board, [])
    value = json.loads(capsys.readouterr().out)
    assert value["answer"] == f"There are {RIGHT}." and value["decided"]["by"] == "vote"
    assert (value["usage"]["usd"], value["usage"]["calls"], value["usage"]["prompt_tokens"]) == (
        0.0231,
        23,
        9100,
    )
    told = {agent["agent"]: agent for agent in value["agents"]}
    explorers = [f"agent-{number}" for number in range(1, 9)]
    assert [agent for agent in told if agent.startswith("agent-")] == explorers
    assert set(value["decided"]["winners"]) == {
        agent for agent in explorers if told[agent]["state"] == "won"
    }
    assert (
        told["agent-2"]["reason"]
        == "The model 'openai:gpt-5-mini' failed with status 500: overloaded."
    )
    assert told["agent-8"] == {
        "agent": "agent-8",
        "parent": "main",
        "model": "mistral:mistral-small-latest",
        "state": "cancelled",
        "answer": None,
        "task": "mistral:mistral-small-latest: Look for the trap: the detail most people would overlook. Then answer.",
        "reason": "it lagged behind the others, who were enough to decide",
        "before": None,
        "group": None,
    }
    changed = [agent for agent in told.values() if agent["before"]]
    assert [(agent["before"], agent["answer"], agent["state"]) for agent in changed] == [
        (WRONG, RIGHT, "won")
    ]
