"""Answers that are to be JSON: without the text around them, asked for once more, and only then an error."""

import json
from itertools import pairwise

import httpx
import pytest
from hypothesis import given, strategies as st
from server.conftest import ABLE, live, says

from musespark.content import ANY_OBJECT
from musespark.models.fake import FakeModel
from musespark.server.protocols.json_gate import JsonGate

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORM = {
    "type": "json_schema",
    "json_schema": {"name": "mine", "strict": True, "schema": SCHEMA},
}
WRAPPED = {
    "fenced": '```json\n{"a": 1}\n```',
    "fenced and told": 'Sure!\n\n```\n{"a": 1}\n```\nAnything else?',
    "prefaced": 'Here it is: {"a": 1}',
    "followed": '{"a": 1}\n\nI hope [that] helps {a lot}.',
    "among others": 'First [1, 2], then {"b": 2}, so {"a": 1}.',
    "spaced": ' \n{"a": 1}\n',
}


def after(*texts):
    """A script that says these in turn, and the last for ever."""
    return lambda request, number: says(texts[min(number, len(texts) - 1)], thought="")


def ask(server, model, **more):
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "q"}],
        "response_format": FORM,
        **more,
    }
    return httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=60)


def content(reply, stream):
    """The text of an answer."""
    assert reply.status_code == 200, reply.text
    if not stream:
        return reply.json()["choices"][0]["message"]["content"]
    chunks = [
        json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")
    ]
    assert "error" not in chunks[-1]
    return "".join(
        choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]
    )


@pytest.fixture(scope="module")
def server():
    scripts = {name.replace(" ", "-"): after(text) for name, text in WRAPPED.items()}
    scripts["sorry"] = after("Sorry?", "No.", '{"a": 1}')
    scripts["any"] = after('{"b": [1]}')
    scripts["list"] = after("[1]")
    models = {
        name: FakeModel(script, name=name, abilities=ABLE) for name, script in scripts.items()
    }
    with live(models) as made:
        yield made


@pytest.mark.parametrize("name", [name.replace(" ", "-") for name in WRAPPED])
@pytest.mark.parametrize("mode", ["", "contemplating/"])
@pytest.mark.parametrize("stream", [False, True])
def test_text_around_an_answer_is_left_out_without_asking_again(server, name, mode, stream):
    before = len(server.models[name].requests)
    assert json.loads(content(ask(server, f"{mode}{name}", stream=stream), stream)) == {"a": 1}
    assert len(server.models[name].requests) - before == (2 if mode else 1)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_in_prose_is_asked_for_once_more(stream):
    model = FakeModel(after("It is one.", '{"a": 1}'), name="m", abilities=ABLE)
    with live({"m": model}) as server:
        assert content(ask(server, "m", stream=stream), stream) == '{"a": 1}'
    first, second = model.requests
    assert second.messages[:-2] == first.messages and "it is not JSON" in second.messages[-1].text


def test_an_answer_that_fits_only_the_second_time_is_taken_from_a_team_too():
    def script(request, number):
        again = "does not have the form" in request.messages[-1].text
        return says('{"a": 1}' if again else '{"a": "one"}', thought="")

    model = FakeModel(script, name="m", abilities=ABLE)
    with live({"m": model}) as server:
        reply = ask(server, "contemplating/m")
        assert content(reply, False) == '{"a": 1}'
        muse = reply.json()["muse"]
    assert muse["usage"]["calls"] == len(model.requests) == 4
    assert muse["conversation"]["tokens"] + muse["besides"]["tokens"] == muse["usage"]["tokens"]


def test_what_fits_neither_time_is_an_error_and_asked_for_no_third_time(server):
    before = len(server.models["sorry"].requests)
    reply = ask(server, "sorry")
    assert (reply.status_code, reply.json()["error"]["code"]) == (502, "schema_not_met")
    assert len(server.models["sorry"].requests) - before == 2


def test_json_mode_is_any_object_and_the_schema_keeps_its_name(server):
    reply = ask(server, "any", response_format={"type": "json_object"})
    assert content(reply, False) == '{"b": [1]}'
    request = server.models["any"].requests[-1]
    assert request.json_mode and request.schema == ANY_OBJECT
    assert ask(server, "list", response_format={"type": "json_object"}).status_code == 502
    ask(server, "spaced")
    request = server.models["spaced"].requests[-1]
    assert (request.schema_name, request.schema_strict) == ("mine", True)
    assert json.loads(request.schema) == SCHEMA and not request.json_mode


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    value=st.dictionaries(st.text(max_size=4), VALUES, max_size=3) | st.lists(VALUES, max_size=3),
    before=st.sampled_from(["", " \n"]),
    after=st.sampled_from(["", "\n", "\nThat's it. {or not}", '"]}']),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_a_value_passes_as_it_comes_and_nothing_else_does(value, before, after, cuts):
    text = before + json.dumps(value) + after
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    gate = JsonGate()
    passed = [gate.feed(text[a:b]) for a, b in pairwise(places)]
    assert "".join(passed) + gate.flush() == json.dumps(value)


def test_text_that_is_no_json_waits_for_what_replaces_it():
    gate = JsonGate()
    assert gate.feed("Well, ") == gate.feed("{it} is one") == ""
    gate.drop()
    assert gate.feed('{"a": 1}') == '{"a": 1}' and gate.flush() == ""
    gate.drop()
    assert gate.feed('{"a": 1}') == "" and gate.flush() == ""
    gate = JsonGate()
    assert gate.feed("42") == "" and gate.flush() == "42"
