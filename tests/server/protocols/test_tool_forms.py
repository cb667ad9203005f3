"""Tools in every form that clients offer them in: as functions to the model, and back in the form of the client."""

import json

import httpx
import pytest
from server.conftest import ABLE, live

from musespark.content import ToolCall
from musespark.models.fake import FakeModel
from musespark.models.model import Finish, TextDelta, ToolCallDelta, UsageDelta
from musespark.server.protocols.tools import clean_schema, custom_input, custom_spec, function_spec
from musespark.usage import Usage

ASK = [{"role": "user", "content": "go"}]


def caller(request, number):
    """Calls the first tool once, then repeats what it was told."""
    results = [
        item.text
        for message in request.messages
        for part in message.parts
        for item in getattr(part, "content", ())
    ]
    end = [UsageDelta(Usage(tokens=3, prompt_tokens=1)), Finish()]
    if results:
        return [TextDelta(" ".join(results)), *end]
    tool = request.tools[0]
    names = json.loads(tool.parameters).get("properties", {})
    return [ToolCallDelta(ToolCall("c1", tool.name, json.dumps(dict.fromkeys(names, "x")))), *end]


@pytest.fixture(scope="module")
def server():
    with live({"caller": FakeModel(caller, name="caller", abilities=ABLE)}) as made:
        yield made


def sent(server, path, **body):
    reply = httpx.post(f"{server.url}{path}", json={"model": "caller", **body}, timeout=30)
    assert reply.status_code == 200, reply.text
    return reply.json(), server.models["caller"].requests[-1]


def test_a_tool_with_a_text_as_input_in_chat_completions(server):
    tool = {"type": "custom", "custom": {"name": "patch", "description": "Edits."}}
    done, request = sent(server, "/v1/chat/completions", messages=ASK, tools=[tool])
    (call,) = done["choices"][0]["message"]["tool_calls"]
    assert call == {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "x"}}
    assert json.loads(request.tools[0].parameters)["required"] == ["input"]
    history = [
        *ASK,
        done["choices"][0]["message"],
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]
    done, _ = sent(server, "/v1/chat/completions", messages=history, tools=[tool])
    assert done["choices"][0]["message"]["content"] == "done"


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_with_a_text_as_input_in_responses(server, stream):
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
    tools = [{"type": "custom", "name": "patch", "format": grammar}]
    reply = httpx.post(
        f"{server.url}/v1/responses",
        json={"model": "caller", "input": "go", "tools": tools, "stream": stream},
    )
    assert "start: WORD" in server.models["caller"].requests[-1].tools[0].description
    if stream:
        assert "response.custom_tool_call_input.done" in reply.text
        return
    (item,) = reply.json()["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "patch", "x")
    result = {"type": "custom_tool_call_output", "call_id": "c1", "output": "done"}
    done, _ = sent(
        server,
        "/v1/responses",
        input=[{"role": "user", "content": "go"}, item, result],
        tools=tools,
    )
    assert done["output"][-1]["content"][0]["text"] == "done"


def test_tools_of_a_namespace_keep_it(server):
    tools = [
        {
            "type": "namespace",
            "name": name,
            "description": "d",
            "tools": [{"type": "function", "name": "find", "parameters": {"type": "object"}}],
        }
        for name in ("crm", "shop")
    ]
    done, request = sent(server, "/v1/responses", input="go", tools=tools)
    assert [tool.name for tool in request.tools] == ["find", "shop__find"]
    (item,) = done["output"]
    assert (item["name"], item["namespace"]) == ("find", "crm")
    call = {**item, "namespace": "shop"}
    result = {"type": "function_call_output", "call_id": "c1", "output": "done"}
    asked = [{"role": "user", "content": "go"}, call, result]
    _, request = sent(server, "/v1/responses", input=asked, tools=tools)
    calls = [part for message in request.messages for part in message.parts]
    assert [part.name for part in calls if isinstance(part, ToolCall)] == ["shop__find"]


CHAT = [{"type": "function", "function": {"name": name}} for name in ("a", "b", "c")]
FLAT = [{"type": "function", "name": name} for name in ("a", "b", "c")]


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_some_of_the_tools_may_be_allowed(server, mode):
    only = [{"type": "function", "function": {"name": "b"}}]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": only}}
    _, request = sent(server, "/v1/chat/completions", messages=ASK, tools=CHAT, tool_choice=choice)
    assert ([tool.name for tool in request.tools], request.tool_choice) == (["b"], mode)
    choice = {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": "c"}]}
    _, request = sent(server, "/v1/responses", input="go", tools=FLAT, tool_choice=choice)
    assert ([tool.name for tool in request.tools], request.tool_choice) == (["c"], mode)


def test_tools_by_a_type_that_clients_run_are_functions_of_their_name(server):
    tools = [
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
        {
            "type": "computer_20250124",
            "name": "computer",
            "display_width_px": 800,
            "display_height_px": 600,
        },
        {"type": "code_execution_20250825", "name": "code_execution"},
    ]
    done, request = sent(server, "/v1/messages", messages=ASK, max_tokens=9, tools=tools)
    assert [tool.name for tool in request.tools] == [
        "bash",
        "str_replace_based_edit_tool",
        "computer",
    ]
    assert "800 x 600" in request.tools[2].description
    assert done["content"][-1]["name"] == "bash" and "command" in done["content"][-1]["input"]
    assert done["muse"]["warnings"] == ["No effect here: tools[3] (code_execution_20250825)."]


def test_a_choice_of_a_tool_that_is_none_is_refused_by_name(server):
    choice = {"type": "function", "function": {"name": "nobody"}}
    body = {"model": "caller", "messages": ASK, "tools": CHAT, "tool_choice": choice}
    reply = httpx.post(f"{server.url}/v1/chat/completions", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "tool_choice")


def test_a_call_of_a_tool_that_is_nobodys_goes_to_the_client():
    def wrong(request, number):
        return [ToolCallDelta(ToolCall("c1", "unheard_of", "{}")), Finish()]

    model = FakeModel(wrong, name="wrong", abilities=ABLE)
    with live({"wrong": model}) as server:
        body = {"model": "wrong", "messages": ASK, "tools": CHAT}
        done = httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=30).json()
    (call,) = done["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "unheard_of" and len(model.requests) == 1


def test_schemas_stay_as_open_as_they_were_and_lose_keywords_that_are_null():
    given = {
        "type": "object",
        "properties": {
            "free": {"type": "object"},
            "listed": {"type": "array", "items": {"type": "object", "properties": None}},
            "chosen": {"enum": [None, 1], "default": None, "description": None},
        },
        "required": None,
    }
    assert clean_schema(given) == {
        "type": "object",
        "properties": {
            "free": {"type": "object"},
            "listed": {"type": "array", "items": {"type": "object", "properties": {}}},
            "chosen": {"enum": [None, 1], "default": None},
        },
    }
    for empty in (None, {}, {"type": "object", "properties": None}):
        spec = function_spec("t", None, empty)
        assert json.loads(spec.parameters) == {"type": "object", "properties": {}}


def test_the_input_of_a_custom_tool_is_read_from_any_arguments():
    assert custom_input(ToolCall("c", "t", '{"input": "a b"}')) == "a b"
    assert custom_input(ToolCall("c", "t", "no json")) == "no json"
    assert custom_input(ToolCall("c", "t", '{"other": 1}')) == '{"other": 1}'
    assert custom_spec("t", None, None).description == ""
