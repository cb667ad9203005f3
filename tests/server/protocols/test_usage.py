"""Usage: a client's own conversation by itself, what was spent besides in the details, and both sums exact."""

import httpx
import pytest
from hypothesis import given, strategies as st
from server.conftest import ABLE, live, says

from musespark.content import Mode, ToolCall
from musespark.events import AnswerDelta, RunEnded, RunStarted
from musespark.models.fake import FakeModel
from musespark.models.model import Finish, TextDelta, ToolCallDelta, UsageDelta
from musespark.server.app import DIALECTS
from musespark.server.protocols.encoder import ReplyEncoder
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.usage import Usage

QUESTION = [{"role": "user", "content": "What is 6 * 7?"}]
BODIES = {
    "/v1/chat/completions": {"messages": QUESTION},
    "/v1/responses": {"input": "What is 6 * 7?"},
    "/v1/messages": {"messages": QUESTION, "max_tokens": 90},
}


def calculating(request, number):
    """Uses Python once, with a prompt that grows; then answers in few tokens."""
    turn = sum(message.role == "tool" for message in request.messages)
    if not turn:
        call = ToolCall(f"c{number}", "python", '{"code": "print(6 * 7)"}')
        return [ToolCallDelta(call), UsageDelta(Usage(tokens=130, prompt_tokens=100)), Finish()]
    return [TextDelta("42"), UsageDelta(Usage(tokens=153, prompt_tokens=150)), Finish()]


def differing(request, number):
    """Answers otherwise each time; judges and merges at a price of their own."""
    text = request.messages[-1].text
    if "Which answer is right" in text:
        return says('{"reason": "r", "better": "A"}', tokens=70, prompt=60)
    if "Several people answered" in text:
        return says("Merged.", tokens=95, prompt=90)
    return says(f"Answer: {number}", tokens=30 + number, prompt=20)


@pytest.fixture(scope="module")
def server():
    scripts = {"calculating": calculating, "differing": differing}
    models = {
        name: FakeModel(script, name=name, abilities=ABLE) for name, script in scripts.items()
    }
    with live(models) as made:
        yield made


def sent(server, path, model, **muse):
    body = {**BODIES[path], "model": model, "muse": muse}
    reply = httpx.post(f"{server.url}{path}", json=body, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.json()


def numbers(path, usage):
    """Prompt and answer of a usage, and what was read and written besides."""
    match path:
        case "/v1/chat/completions" | "/v1/completions":
            read, written = usage["prompt_tokens_details"], usage["completion_tokens_details"]
            assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
            own = usage["prompt_tokens"], usage["completion_tokens"]
            return *own, read["team_tokens"], written["team_tokens"]
        case "/v1/responses" | "/v1/responses/compact":
            read, written = usage["input_tokens_details"], usage["output_tokens_details"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
            own = usage["input_tokens"], usage["output_tokens"]
            return *own, read["team_tokens"], written["team_tokens"]
    team = usage["team"]
    return (
        usage["input_tokens"],
        usage["output_tokens"],
        team["input_tokens"],
        team["output_tokens"],
    )


def require_exact(path, done):
    prompt, answer, read, written = numbers(path, done["usage"])
    muse = done["muse"]
    assert prompt + answer + read + written == muse["usage"]["tokens"]
    assert prompt + read == muse["usage"]["prompt_tokens"]
    assert muse["conversation"] == {"tokens": prompt + answer, "prompt_tokens": prompt}
    assert muse["besides"] == {"tokens": read + written, "prompt_tokens": read}
    assert sum(agent["tokens"] for agent in muse["agents"].values()) == muse["usage"]["tokens"]
    return prompt, answer


@pytest.mark.parametrize("path", BODIES)
def test_an_agent_that_used_a_tool_counts_its_first_prompt_and_its_last_reply(server, path):
    done = sent(server, path, "calculating", tools=["python"])
    assert require_exact(path, done) == (100, 3) and done["muse"]["usage"]["tokens"] == 283


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("aggregate", ["vote", "judge", "merge"])
def test_a_team_counts_one_prompt_and_the_answer_that_it_gives(server, path, aggregate):
    model = server.models["differing"]
    before = len(model.requests)
    options = {"agents": 3, "first": 3, "aggregate": aggregate, "judge": "differing"}
    done = sent(server, path, "contemplating/differing", **options)
    prompt, answer = require_exact(path, done)
    assert prompt == 20
    if aggregate == "merge":
        assert answer == 5
    else:
        assert 10 + before <= answer <= 10 + len(model.requests)


@given(
    tokens=st.tuples(*[st.integers(0, 10**6)] * 4),
    known=st.booleans(),
    dialect=st.sampled_from(DIALECTS),
)
def test_the_sums_are_exact_whatever_the_numbers_are(tokens, known, dialect):
    prompt, answer, read, written = tokens
    total = Usage(tokens=sum(tokens), prompt_tokens=prompt + read, calls=3)
    own = Usage(tokens=prompt + answer, prompt_tokens=prompt) if known else None
    end = RunEnded("42", False, total, answer_usage=own)
    from musespark.content import Request

    parsed = ParsedRequest(model="m", request=Request.of("?"), conversation=())
    reply, encoder = ReplyEncoder(), dialect.encoder(parsed, "r", 1)
    events = [RunStarted("r", Mode.THINKING, "m", "?"), AnswerDelta("42"), end]
    chunks = encoder.start()
    for event in events:
        chunks += [chunk for piece in reply.encode(event) for chunk in encoder.encode(piece)]
    done = dialect.collect(chunks)
    if not known:
        assert done["muse"]["besides"] == {"tokens": 0, "prompt_tokens": 0}
    elif read or written:
        assert numbers(dialect.path, done["usage"]) == tokens


def test_a_stream_of_messages_begins_with_an_estimate_of_its_prompt(server):
    body = {**BODIES["/v1/messages"], "model": "differing", "stream": True}
    text = httpx.post(f"{server.url}/v1/messages", json=body, timeout=60).text
    assert '"usage":{"input_tokens":8,"output_tokens":0}' in text
