"""Hypothesis strategies for the values that flow through the house."""

from __future__ import annotations

from hypothesis import strategies as st

from musespark.content import Mode
from musespark.events import (
    Abstained,
    AgentCancelled,
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
    Pictured,
    RunEnded,
    RunFailed,
    RunStarted,
    Spent,
    StageStarted,
    Thought,
    ToolCalled,
    ToolReturned,
    Verified,
)
from musespark.usage import Usage

text = st.text(max_size=20)
count = st.integers(0, 10**9)
seconds = st.floats(0, 10**6)
usages = st.builds(Usage, count, count, st.integers(0, 64), seconds, seconds, count, count)
# Whole numbers of seconds and dollars: their sums are exact, so the laws of addition can be stated with ==.
exact_usages = st.builds(
    Usage,
    count,
    count,
    st.integers(0, 64),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    count,
    count,
)
texts = st.lists(text, max_size=3).map(tuple)

_stamp = {"seq": count, "at": seconds}
events = st.one_of(
    st.builds(RunStarted, text, st.sampled_from(Mode), text, text, **_stamp),
    st.builds(AgentStarted, text, st.none() | text, text, **_stamp),
    st.builds(Thought, text, text, **_stamp),
    st.builds(Pictured, text, st.binary(max_size=50), text, count, count, **_stamp),
    st.builds(AgentReturned, text, text, **_stamp),
    st.builds(AgentCancelled, text, text, **_stamp),
    st.builds(AgentFailed, text, text, text, **_stamp),
    st.builds(Noted, text, text, **_stamp),
    st.builds(ToolCalled, text, text, text, text, **_stamp),
    st.builds(ToolReturned, text, text, text, st.booleans(), **_stamp),
    st.builds(
        StageStarted,
        st.sampled_from(["explore", "refine", "aggregate"]),
        st.integers(0, 9),
        **_stamp,
    ),
    st.builds(Agreed, st.lists(texts, max_size=3).map(tuple), texts, st.booleans(), text, **_stamp),
    st.builds(Changed, text, text, text, st.booleans(), **_stamp),
    st.builds(Judged, text, text, text, text, **_stamp),
    st.builds(Decided, text, texts, text, **_stamp),
    st.builds(AnswerDelta, text, **_stamp),
    st.builds(AnswerDropped, text, **_stamp),
    st.builds(Verified, st.booleans(), text, **_stamp),
    st.builds(Abstained, text, **_stamp),
    st.builds(Spent, text, usages, **_stamp),
    st.builds(
        RunEnded,
        text,
        st.booleans(),
        usages,
        st.lists(count, max_size=3).map(tuple),
        st.sampled_from(["finished", "length", "budget", "cut"]),
        text,
        status=st.sampled_from(["", "verified", "unchecked", "refuted", "abstained"]),
        abstained=text,
        **_stamp,
    ),
    st.builds(RunFailed, text, text, **_stamp),
)
