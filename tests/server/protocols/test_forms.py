"""Values in the forms of other protocols, and in those that clients write by habit: each means what it meant there."""

import base64
import json

import httpx
import pytest
from server.conftest import ABLE, live

from musespark.content import Image, Text, ToolCall, ToolResult
from musespark.models.fake import DOT, FakeModel
from musespark.models.model import Finish, TextDelta

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
PNG = base64.b64encode(DOT).decode()
URL = f"data:image/png;base64,{PNG}"
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
NESTED = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": PARAMETERS},
}
FLAT = {"type": "function", "name": "look", "description": "Looks.", "parameters": PARAMETERS}
ANTHROPIC = {"name": "look", "description": "Looks.", "input_schema": PARAMETERS}


@pytest.fixture(scope="module")
def server():
    model = FakeModel(
        lambda request, number: [TextDelta('{"a": 1}'), Finish()], name="plain", abilities=ABLE
    )
    with live({"plain": model}) as made:
        yield made


def understood(server, path, turns, **fields):
    """The request that the model gets of these turns, for a reply without warnings."""
    body = {"model": "plain", "input" if path == RESPONSES else "messages": turns, **fields}
    if path == MESSAGES:
        body.setdefault("max_tokens", 99)
    reply = httpx.post(server.url + path, json=body, timeout=30)
    assert reply.status_code == 200, reply.text
    assert "x-muse-warning" not in reply.headers, reply.headers
    return server.models["plain"].requests[-1]


def user(content):
    return [{"role": "user", "content": content}]


TEXTS = ["hi", {"type": "text", "text": "hi"}, {"text": "hi"}]
IMAGES = [
    {"type": "image_url", "image_url": {"url": URL}},
    {"type": "image_url", "image_url": URL},
    {"type": "input_image", "image_url": URL},
    {"type": "input_image", "image_url": {"url": URL, "detail": "high"}},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    {"type": "image", "source": {"type": "url", "url": URL}},
]


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
@pytest.mark.parametrize("image", IMAGES, ids=range(len(IMAGES)))
def test_a_part_is_read_in_the_form_of_every_protocol(server, path, image):
    for text in TEXTS:
        request = understood(server, path, user([text, image]))
        words, shown = request.messages[-1].parts
        assert words == Text("hi") and isinstance(shown, Image) and shown.data == DOT


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
@pytest.mark.parametrize("tool", [NESTED, FLAT, ANTHROPIC], ids=["nested", "flat", "schema"])
@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "function": {"name": "look"}},
        {"type": "function", "name": "look"},
        {"type": "tool", "name": "look"},
    ],
    ids=["nested", "flat", "tool"],
)
def test_a_tool_and_its_choice_are_read_in_the_form_of_every_protocol(server, path, tool, choice):
    request = understood(server, path, user("hi"), tools=[tool], tool_choice=choice)
    (spec,) = request.tools
    assert (spec.name, spec.description) == ("look", "Looks.")
    assert json.loads(spec.parameters) == PARAMETERS and request.tool_choice == "look"


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
@pytest.mark.parametrize(
    ("choice", "means"),
    [
        ("any", "required"),
        ("required", "required"),
        ({"type": "any"}, "required"),
        ({"type": "auto"}, "auto"),
        ("auto", "auto"),
        ({"type": "none"}, "none"),
        ("", "auto"),
    ],
)
def test_words_for_a_choice_mean_the_same_everywhere(server, path, choice, means):
    request = understood(server, path, user("hi"), tools=[FLAT], tool_choice=choice)
    assert request.tool_choice == means


INNER = {"name": "form", "schema": SCHEMA}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (CHAT, {"response_format": {"type": "json_schema", **INNER}}),
        (RESPONSES, {"text": {"format": {"type": "json_schema", "json_schema": INNER}}}),
        (RESPONSES, {"response_format": {"type": "json_schema", "json_schema": INNER}}),
        (
            RESPONSES,
            {
                "response_format": {"type": "json_schema", "json_schema": INNER},
                "text": {"verbosity": "medium"},
            },
        ),
        (MESSAGES, {"output_format": {"type": "json_schema", "schema": SCHEMA}}),
    ],
)
def test_a_schema_in_another_place_still_holds(server, path, fields):
    request = understood(server, path, user("hi"), **fields)
    assert request.schema is not None and json.loads(request.schema) == SCHEMA


def test_of_two_schemas_the_protocols_own_holds_and_the_other_is_named(server):
    own = {"type": "json_schema", "name": "own", "schema": SCHEMA}
    body = {
        "model": "plain",
        "input": "hi",
        "text": {"format": own},
        "response_format": {"type": "json_object"},
    }
    reply = httpx.post(server.url + RESPONSES, json=body, timeout=30)
    assert "response_format" in reply.headers["x-muse-warning"]
    assert server.models["plain"].requests[-1].schema_name == "own"


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ({"city": "Köln"}, '{"city": "Köln"}'),
        ('{"city": "Köln"}', '{"city": "Köln"}'),
        ("", "{}"),
        (None, "{}"),
    ],
)
def test_arguments_of_an_earlier_call_may_be_an_object_or_nothing(server, given, means):
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": given}}
    result = {"role": "tool", "tool_call_id": "c1", "content": "ok"}
    turns = [*user("hi"), {"role": "assistant", "content": None, "tool_calls": [call]}, result]
    found = [understood(server, CHAT, turns, tools=[NESTED])]
    items = [
        *user("hi"),
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": given},
        {"type": "function_call_output", "call_id": "c1", "output": "ok"},
    ]
    found.append(understood(server, RESPONSES, items, tools=[FLAT]))
    blocks = [
        *user("hi"),
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "look", "input": given}],
        },
        *user([{"type": "tool_result", "tool_use_id": "c1", "content": "ok"}]),
    ]
    found.append(understood(server, MESSAGES, blocks, tools=[ANTHROPIC]))
    for request in found:
        (part,) = request.messages[1].parts
        assert isinstance(part, ToolCall) and json.loads(part.arguments) == json.loads(means)


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ({"temperature": 21}, '{"temperature": 21}'),
        ([{"city": "Bonn"}, 3], '[{"city": "Bonn"}, 3]'),
        (7, "7"),
        (True, "true"),
        (None, ""),
    ],
)
def test_a_tools_result_may_be_plain_json(server, given, means):
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    turns = [
        *user("hi"),
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": given},
    ]
    items = [
        *user("hi"),
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": given},
    ]
    blocks = [
        *user("hi"),
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "look"}]},
        *user([{"type": "tool_result", "tool_use_id": "c1", "content": given}]),
    ]
    for path, conversation in ((CHAT, turns), (RESPONSES, items), (MESSAGES, blocks)):
        (part,) = understood(server, path, conversation).messages[-1].parts
        assert isinstance(part, ToolResult)
        assert "".join(each.text for each in part.content if isinstance(each, Text)) == means


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
def test_a_turn_without_content_says_nothing(server, path):
    turns = [*user("hi"), {"role": "assistant", "content": None}, *user("again")]
    assert [message.role for message in understood(server, path, turns).messages] == [
        "user",
        "user",
    ]
    kind = {CHAT: "text", RESPONSES: "input_text", MESSAGES: "text"}[path]
    parts = [{"type": kind, "text": None}, {"type": kind, "text": "hi"}]
    assert understood(server, path, user(parts)).question == "hi"


@pytest.mark.parametrize(
    ("path", "field"),
    [(CHAT, "max_tokens"), (RESPONSES, "max_output_tokens"), (MESSAGES, "max_tokens")],
)
def test_a_limit_may_be_written_as_a_fraction(server, path, field):
    assert understood(server, path, user("hi"), **{field: 50.0}).max_tokens == 50
    reply = httpx.post(
        server.url + path,
        json={
            "model": "plain",
            "max_tokens": 9,
            "messages": user("hi"),
            "input": "hi",
            field: 50.5,
        },
        timeout=30,
    )
    assert reply.status_code == 400


def test_an_empty_id_of_an_earlier_response_is_none(server):
    assert understood(server, RESPONSES, "hi", previous_response_id="").question == "hi"


@pytest.mark.parametrize("kind", [{}, [], 5, {"a": 1}])
@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
def test_a_type_that_is_no_word_is_refused(server, path, kind):
    for field in (
        {"messages": user([{"type": kind, "text": "x"}]), "input": user([{"type": kind}])},
        {"tool_choice": {"type": kind, "name": "look"}},
        {"tools": [{"type": kind, "name": kind}]},
    ):
        body = {"model": "plain", "max_tokens": 9, "messages": user("hi"), "input": "hi", **field}
        reply = httpx.post(server.url + path, json=body, timeout=30)
        assert reply.status_code == 400, reply.text


def test_an_error_names_the_field_and_no_type_of_ours(server):
    body = {"model": "plain", "messages": [{"role": "user", "content": {"a": 1}}]}
    error = httpx.post(server.url + CHAT, json=body, timeout=30).json()["error"]
    assert error["param"] == "messages[0].content"
    body["messages"] = user([{"type": "input_audio", "input_audio": {}}])
    error = httpx.post(server.url + CHAT, json=body, timeout=30).json()["error"]
    assert error["message"].startswith("messages[0].content[0]: its type 'input_audio' is not")
