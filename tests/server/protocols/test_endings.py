"""Why a reply ended, told as it was: in every protocol, as a whole and as a stream, by one agent and by a team."""

import json

import httpx
import pytest
from server.conftest import ABLE, live, says

from musespark.content import Request
from musespark.models.fake import FakeModel
from musespark.models.model import AbstainedDelta, Finish, TextDelta, UsageDelta
from musespark.server.errors import error_reply
from musespark.usage import Usage

SPENT = UsageDelta(Usage(tokens=10, prompt_tokens=4))
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
BODIES = {
    "/v1/chat/completions": {
        "messages": [{"role": "user", "content": "q"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    },
    "/v1/responses": {
        "input": "q",
        "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
    },
    "/v1/messages": {
        "messages": [{"role": "user", "content": "q"}],
        "max_tokens": 50,
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    },
}
REFUSES = [
    AbstainedDelta("it declined", refused=True),
    TextDelta("I cannot."),
    SPENT,
    Finish("refused", "it declined"),
]


@pytest.fixture(scope="module")
def server():
    models = {
        "refuses": REFUSES,
        "filtered": [TextDelta("Half"), SPENT, Finish("filtered", "a filter")],
        "mute": [SPENT, Finish("filtered", "a filter")],
        "empty": [TextDelta(" \n"), SPENT, Finish()],
        "long": says("one two", thought="", why="length"),
        "stopped": [SPENT, Finish(stop="\n")],
    }
    with live(
        {name: FakeModel(script, name=name, abilities=ABLE) for name, script in models.items()}
    ) as made:
        yield made


def sent(server, path, model, **more):
    body = {**BODIES[path], "model": model, **more}
    return httpx.post(f"{server.url}{path}", json=body, timeout=30)


def ending(path, done):
    """The words of a protocol for the end of a reply, and the refusal in it."""
    match path:
        case "/v1/chat/completions":
            choice = done["choices"][0]
            return choice["finish_reason"], choice["message"]["refusal"]
        case "/v1/responses":
            parts = [part for item in done["output"] for part in item.get("content", ())]
            refusals = [part["refusal"] for part in parts if part["type"] == "refusal"]
            reason = (done["incomplete_details"] or {}).get("reason")
            return reason or done["status"], refusals[0] if refusals else None
    return done["stop_reason"], None


ENDS = {
    ("/v1/chat/completions", "refuses"): ("stop", "I cannot."),
    ("/v1/chat/completions", "filtered"): ("content_filter", None),
    ("/v1/chat/completions", "long"): ("length", None),
    ("/v1/responses", "refuses"): ("completed", "I cannot."),
    ("/v1/responses", "filtered"): ("content_filter", None),
    ("/v1/responses", "long"): ("max_output_tokens", None),
    ("/v1/messages", "refuses"): ("refusal", None),
    ("/v1/messages", "filtered"): ("refusal", None),
    ("/v1/messages", "long"): ("max_tokens", None),
}


@pytest.mark.parametrize(("path", "model"), ENDS)
@pytest.mark.parametrize("team", [False, True])
def test_an_end_is_told_in_the_words_of_the_protocol(server, path, model, team):
    name = f"contemplating/{model}" if team else model
    reply = sent(server, path, name)
    assert reply.status_code == 200, reply.text
    assert ending(path, reply.json()) == ENDS[path, model]


@pytest.mark.parametrize(("path", "model"), ENDS)
def test_a_stream_tells_the_same_end(server, path, model):
    text = sent(server, path, model, stream=True).text
    chunks = [
        json.loads(line[6:])
        for line in text.splitlines()
        if line.startswith("data: ") and line != "data: [DONE]"
    ]
    reason, refusal = ENDS[path, model]
    match path:
        case "/v1/chat/completions":
            choices = [choice for chunk in chunks for choice in chunk["choices"]]
            assert choices[-1]["finish_reason"] == reason
            told = "".join(choice["delta"].get("refusal", "") for choice in choices)
            assert (told or None) == refusal
        case "/v1/responses":
            assert ending(path, chunks[-1]["response"]) == (reason, refusal)
            kinds = {chunk["type"] for chunk in chunks}
            assert ("response.refusal.done" in kinds) == (refusal is not None)
        case _:
            (delta,) = [chunk["delta"] for chunk in chunks if chunk["type"] == "message_delta"]
            assert delta["stop_reason"] == reason


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["empty", "contemplating/empty"])
def test_an_empty_reply_is_no_success(server, path, stream, model):
    reply = sent(server, path, model, stream=stream)
    if stream and reply.status_code == 200:  # the stream was open already
        assert "was empty" in reply.text
    else:
        assert (reply.status_code, reply.json()["error"]["code"]) == (502, "empty_reply")


def test_a_filter_that_leaves_nothing_of_a_teams_replies_is_told_as_such(server):
    reply = sent(server, "/v1/chat/completions", "contemplating/mute")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "content_filter")
    reply = sent(server, "/v1/chat/completions", "mute")
    assert reply.json()["choices"][0]["finish_reason"] == "content_filter"


def test_an_answer_that_a_stop_text_left_empty_is_one(server):
    body = {"model": "stopped", "messages": [{"role": "user", "content": "q"}], "stop": "\n"}
    reply = httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=30)
    assert reply.status_code == 200 and reply.json()["choices"][0]["finish_reason"] == "stop"


async def test_a_refusal_is_an_abstention_of_a_whole_reply():
    import musespark

    model = FakeModel(REFUSES, name="m", abilities=ABLE)
    answer = await musespark.ask("q", model=model, mode="thinking")
    assert (answer.status, answer.finish_reason) == ("abstained", "refused")
    assert str(answer) == "I cannot." and Request.of("q").schema is None


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (400, 400, "model_rejected"),
        (401, 401, "model_unauthorized"),
        (402, 402, "model_quota"),
        (403, 403, "model_forbidden"),
        (404, 404, "model_not_found"),
        (409, 400, "model_failed"),
        (422, 400, "model_rejected"),
        (500, 500, "model_failed"),
        (502, 502, "model_failed"),
        (520, 502, "model_failed"),
        (None, 502, "model_failed"),
    ],
)
def test_the_status_of_a_models_server_is_told_again(status, told, code):
    from musespark.errors import AllFailed, ModelFailed

    error = ModelFailed("m", "it said no", status)
    reply = error_reply(error)
    assert (reply.status, reply.code, reply.message) == (told, code, str(error))
    team = error_reply(AllFailed({f"agent-{n}": str(error) for n in range(9)}, [error] * 9))
    assert (team.status, team.code, team.message) == (told, code, str(error))
