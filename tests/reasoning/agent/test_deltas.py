from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from musespark.errors import WrongShape
from musespark.events import MAIN, AgentCancelled, AgentReturned, AgentStarted
from musespark.models.model import (
    ImageDelta,
    TextDelta,
    ThinkingDelta,
    ThreadCancelled,
    ThreadReturned,
    ThreadStarted,
)
from musespark.reasoning.agent.deltas import DeltaTranslator


@pytest.mark.parametrize(
    "deltas",
    [
        [ThinkingDelta("?", "nobody")],
        [ThreadStarted(MAIN, MAIN, "itself")],
        [ThreadStarted("a", "nobody", "?")],
        [ThreadStarted("a", MAIN, "?"), ThreadStarted("a", MAIN, "again")],
        [ThreadStarted("a", MAIN, "?"), ThreadReturned("a", ""), ThinkingDelta("a ghost", "a")],
        [ThreadStarted("a", MAIN, "?"), ThreadReturned("a", ""), ThreadStarted("a", MAIN, "again")],
        [ThreadReturned(MAIN, "")],
        [ImageDelta(b"GIF89a", 1, 1)],
        [TextDelta(None)],
        [{"text": "4"}],
        [None],
    ],
)
def test_what_the_protocol_forbids_is_the_backends_mistake(deltas):
    lanes = DeltaTranslator("fake")
    for delta in deltas[:-1]:
        lanes.event(delta)
    with pytest.raises(WrongShape):
        lanes.event(deltas[-1])


names = st.sampled_from([MAIN, "a", "b", "c", "d"])
moves = st.one_of(
    st.builds(ThreadStarted, names, names, st.just("?")),
    st.builds(ThreadReturned, names, st.just("")),
    st.builds(ThreadCancelled, names, st.just("")),
    st.builds(ThinkingDelta, st.just("?"), names),
)


@given(st.lists(moves, max_size=30), st.sampled_from([MAIN, "agent-1"]))
def test_whatever_a_backend_sends_each_agent_starts_and_ends_once(deltas, agent):
    lanes = DeltaTranslator("fake", agent, speak=False)
    events = []
    for delta in deltas:
        with suppress(WrongShape):
            events.append(lanes.event(delta))
    events += lanes.close("over")
    started = [event.agent for event in events if isinstance(event, AgentStarted)]
    ended = [event.agent for event in events if isinstance(event, AgentReturned | AgentCancelled)]
    assert len(set(started)) == len(started)
    assert sorted(started) == sorted(ended)
    assert lanes.close("again") == []
    assert all(name.startswith("agent-1/") for name in started) or agent == MAIN
