"""Laws of the three translations, for any stream of events: they are pure, and nothing is lost or said twice."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from musespark.content import Mode, Request, ToolCall
from musespark.events import (
    MAIN,
    AgentCancelled,
    AgentReturned,
    AgentStarted,
    Agreed,
    AnswerDelta,
    AnswerDropped,
    Decided,
    Noted,
    Pictured,
    RunEnded,
    RunStarted,
    Spent,
    StageStarted,
    Thought,
)
from musespark.models.fake import DOT
from musespark.server.app import DIALECTS
from musespark.server.errors import ErrorReply
from musespark.server.protocols.base import to_sse
from musespark.server.protocols.breakdown import Breakdown
from musespark.server.protocols.encoder import SEPARATOR, ReplyEncoder, without_dropped_text
from musespark.server.protocols.responses.stored_items import unpack_summary
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.usage import Usage

PARSED = ParsedRequest(model="m", request=Request.of("?"), conversation=())
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
HAPPENS = st.lists(
    st.one_of(
        st.builds(Thought, st.sampled_from((MAIN, "agent-1")), TEXT),
        st.builds(AnswerDelta, TEXT),
        st.builds(AnswerDropped, TEXT),
        st.builds(AgentStarted, st.sampled_from(("agent-1", "agent-2")), st.just(MAIN), TEXT),
        st.builds(AgentReturned, st.sampled_from(("agent-1", "agent-2")), TEXT),
        st.builds(AgentCancelled, st.just("agent-1"), TEXT),
        st.builds(Noted, st.just("agent-1"), TEXT),
        st.builds(Decided, st.just("vote"), st.just(("agent-1",)), TEXT),
        st.builds(Agreed, st.just((("agent-1", "agent-2"),)), st.tuples(TEXT)),
        st.just(StageStarted("refine", 1)),
        st.just(Pictured(MAIN, DOT, "a dot", 1, 1)),
    ),
    max_size=25,
)
CALLS = st.lists(
    st.builds(
        ToolCall, st.text("abc", min_size=1, max_size=5), st.just("tool"), st.just('{"a": 1}')
    ),
    max_size=3,
)


def run_of(happened, calls=(), why="finished", usage=None):
    """A whole run with these events in it."""
    answer = ""
    for event in happened:
        answer = (
            ""
            if isinstance(event, AnswerDropped)
            else answer + event.text
            if isinstance(event, AnswerDelta)
            else answer
        )
    end = RunEnded(
        answer, False, usage or Usage(tokens=7, prompt_tokens=3, calls=2), (), why, "", tuple(calls)
    )
    return [
        RunStarted("r", Mode.CONTEMPLATING, "m", "?"),
        AgentStarted(MAIN, None, "?"),
        *happened,
        end,
    ]


def chunks_of(dialect, events, **options):
    """The chunks of a stream."""
    reply = ReplyEncoder(**{"headline": "Begin.", "show_progress": True, **options})
    encoder = dialect.encoder(PARSED, "r", 1)
    return [
        *encoder.start(),
        *(
            chunk
            for event in events
            for piece in reply.encode(event)
            for chunk in encoder.encode(piece)
        ),
    ]


def said(dialect, whole):
    """The text of a whole reply, what came before it, and the ids of its calls; None where the protocol has no place for them."""
    match dialect.name:
        case "completions":
            return whole["choices"][0]["text"], None, None
        case "compaction":
            return unpack_summary(whole["output"][-1]["encrypted_content"]), None, None
        case "chat":
            message = whole["choices"][0]["message"]
            calls = [call["id"] for call in message.get("tool_calls", ())]
            return message["content"] or "", message.get("reasoning_content", ""), calls
        case "responses":
            items = whole["output"]
            return (
                "".join(item["content"][0]["text"] for item in items if item["type"] == "message"),
                "".join(
                    item["summary"][0]["text"] for item in items if item["type"] == "reasoning"
                ),
                [item["call_id"] for item in items if item["type"] == "function_call"],
            )
        case _:
            blocks = whole["content"]
            return (
                "".join(block.get("text", "") for block in blocks),
                "".join(block.get("thinking", "") for block in blocks),
                [block["id"] for block in blocks if block["type"] == "tool_use"],
            )


@pytest.mark.parametrize("dialect", DIALECTS[:3], ids=lambda dialect: dialect.name)
class TestConversations:
    @given(happened=HAPPENS, calls=CALLS)
    def test_the_whole_says_what_the_run_said(self, dialect, happened, calls):
        events = run_of(happened, calls)
        text, _, ids = said(
            dialect, dialect.collect(chunks_of(dialect, without_dropped_text(events)))
        )
        assert text == events[-1].answer and ids in (None, [call.id for call in calls])

    @given(happened=HAPPENS)
    def test_a_stream_says_it_too_after_what_turned_out_void(self, dialect, happened):
        events = run_of(happened)
        text, before, _ = said(dialect, dialect.collect(chunks_of(dialect, events)))
        assert text.endswith(events[-1].answer)
        voided = any(isinstance(event, AnswerDropped) for event in events)
        assert text == events[-1].answer or (
            voided and (SEPARATOR in text or not events[-1].answer)
        )
        thoughts = [
            event.text for event in happened if isinstance(event, Thought) and event.agent == MAIN
        ]
        assert before is None or (
            before.startswith("Begin.\n") and all(thought in before for thought in thoughts)
        )


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
class TestEveryDialect:
    @given(happened=HAPPENS, calls=CALLS)
    def test_translating_is_pure(self, dialect, happened, calls):
        events = run_of(happened, calls)
        assert chunks_of(dialect, events) == chunks_of(dialect, events)

    @given(happened=HAPPENS)
    def test_frames_are_lines_of_json(self, dialect, happened):
        chunks = chunks_of(dialect, run_of(happened))
        lines = to_sse(dialect, chunks).decode().split("\n")
        assert [json.loads(line[6:]) for line in lines if line.startswith("data: ")] == json.loads(
            json.dumps(chunks)
        )
        assert all(line.startswith(("data: ", "event: ")) or not line for line in lines)

    @given(happened=HAPPENS, why=st.sampled_from(("finished", "length", "budget", "cut")))
    def test_usage_is_everything(self, dialect, happened, why):
        usage = dialect.collect(chunks_of(dialect, run_of(happened, why=why)))["usage"]
        read = usage.get("prompt_tokens", usage.get("input_tokens"))
        assert (read, usage.get("completion_tokens", usage.get("output_tokens"))) == (3, 4)

    @given(happened=HAPPENS)
    def test_a_failure_closes_what_is_open(self, dialect, happened):
        reply, encoder = ReplyEncoder(show_progress=True), dialect.encoder(PARSED, "r", 1)
        sent = [
            *encoder.start(),
            *(
                chunk
                for event in run_of(happened)[:-1]
                for piece in reply.encode(event)
                for chunk in encoder.encode(piece)
            ),
        ]
        last = encoder.encode_error(
            ErrorReply(status=502, code="model_failed", message="It broke.")
        )[-1]
        assert "It broke." in json.dumps(last)
        if dialect.name == "responses":
            assert last["sequence_number"] >= len(sent)


def nested(draw_usages):
    """Events of agents that were sent by each other, with what each and all below it has used."""
    own = [
        Usage(tokens=tokens, prompt_tokens=tokens // 2, calls=1, usd=tokens / 1e6)
        for tokens in draw_usages
    ]
    names = [MAIN, *(f"agent-{number}" for number in range(1, len(own)))]
    parents = [None, *(names[number // 2] for number in range(len(own) - 1))]
    totals = dict(zip(names, own, strict=True))
    for name, parent in reversed(list(zip(names, parents, strict=True))):
        if parent is not None:
            totals[parent] = totals[parent] + totals[name]
    events = [AgentStarted(name, parent, "t") for name, parent in zip(names, parents, strict=True)]
    return (
        own,
        names,
        [
            *events,
            *(Spent(name, totals[name]) for name in names),
            replace(run_of([])[-1], usage=totals[MAIN]),
        ],
    )


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12))
def test_a_breakdown_is_each_agents_own_and_adds_up(usages):
    own, names, events = nested(usages)
    breakdown = Breakdown()
    for event in events:
        breakdown.add(event)
    block = breakdown.block(None)
    assert [block["agents"][name]["tokens"] for name in names] == [usage.tokens for usage in own]
    for amount in ("tokens", "prompt_tokens", "calls"):
        assert sum(agent[amount] for agent in block["agents"].values()) == block["usage"][amount]


def test_arguments_that_are_no_object_stay_readable_for_messages():
    messages = next(dialect for dialect in DIALECTS if dialect.name == "messages")
    whole = messages.collect(chunks_of(messages, run_of([], [ToolCall("a", "t", "not json")])))
    assert whole["content"][-1]["input"] == {"not_an_object": "not json"}
