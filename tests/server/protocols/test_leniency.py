"""Fields, parts and tools that have no effect: taken at every depth, and named at once in a header, the log and the reply."""

import base64
import logging

import httpx
import pytest

from musespark.models.fake import DOT
from musespark.server.protocols.warnings import (
    HEADER,
    MAX_HEADER,
    MAX_NAMES,
    RequestWarnings,
    warning_headers,
)

FUNCTION = {"type": "function", "function": {"name": "t", "input_examples": [{}]}, "colour": 1}
BODIES = {
    "/v1/chat/completions": (
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "hi", "lang": "en"}]},
                {
                    "role": "assistant",
                    "content": "x",
                    "reasoning_details": [{"type": "reasoning.text", "text": "t"}],
                    "provider_specific_fields": {"a": None},
                },
                {"role": "user", "content": "again", "thread": 7},
            ],
            "client_metadata": {"a": {"b": 1}},
            "tools": [FUNCTION, {"type": "web_search", "filters": {}}],
            "stream_options": {"include_usage": True, "chunk_size": 3},
            "web_search_options": {},
        },
        {
            "client_metadata",
            "web_search_options",
            "messages[0].content[0].lang",
            "messages[1].reasoning_details",
            "messages[1].provider_specific_fields",
            "messages[2].thread",
            "tools[0].colour",
            "tools[0].function.input_examples",
            "tools[1] (web_search)",
            "stream_options.chunk_size",
        },
    ),
    "/v1/responses": (
        {
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hi", "lang": "en"}]},
                {"type": "web_search_call", "id": "ws_1", "action": {}, "status": "completed"},
                {"type": "mcp_list_tools", "tools": []},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "reasoning_text", "text": "t"},
                        {"type": "output_text", "text": "x"},
                    ],
                },
                {"role": "user", "content": "again", "thread": 7},
            ],
            "client_metadata": {},
            "max_tool_calls": 4,
            "truncation": "auto",
            "include": ["web_search_call.action.sources"],
            "tools": [{"type": "file_search"}, {"type": "function", "name": "t", "async": True}],
            "text": {"tone": "kind"},
        },
        {
            "client_metadata",
            "max_tool_calls",
            "truncation",
            "include (web_search_call.action.sources)",
            "input[0].content[0].lang",
            "input[1] (web_search_call)",
            "input[2] (mcp_list_tools)",
            "input[3].content[0] (reasoning_text)",
            "input[4].thread",
            "tools[0] (file_search)",
            "tools[1].async",
            "text.tone",
        },
    ),
    "/v1/messages": (
        {
            "messages": [
                {"role": "user", "content": "hi"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
                        {"type": "text", "text": "x", "mood": "calm"},
                    ],
                },
                {"role": "user", "content": "again"},
            ],
            "max_tokens": 9,
            "betas": ["a"],
            "context_management": {"edits": []},
            "container": "c",
            "mcp_servers": [{"type": "url"}],
            "tools": [
                {"type": "web_search_20250305", "name": "web_search"},
                {"name": "t", "input_schema": {}, "defer_loading": True},
            ],
            "thinking": {"type": "automatic"},
        },
        {
            "betas",
            "context_management",
            "container",
            "mcp_servers",
            "messages[1].content[0] (server_tool_use)",
            "messages[1].content[1] (web_search_tool_result)",
            "messages[1].content[2].mood",
            "tools[0] (web_search_20250305)",
            "tools[1].defer_loading",
            "thinking (automatic)",
        },
    ),
}


def sent(served, path, body, **options):
    return httpx.post(f"{served.url}{path}", json={"model": "plain", **body}, timeout=30, **options)


def told(line):
    """Names in a warning."""
    return set(line.removeprefix("No effect here: ").rstrip(".").split(", "))


@pytest.mark.parametrize("path", BODIES)
def test_every_field_without_effect_is_taken_and_all_are_named_at_once(served, path, caplog):
    body, names = BODIES[path]
    with caplog.at_level(logging.WARNING, "musespark.server"):
        reply = sent(served, path, body)
    assert reply.status_code == 200
    line = reply.headers[HEADER.decode()]
    assert told(line) == names
    (logged,) = [record for record in caplog.records if record.name == "musespark.server"]
    assert line in logged.getMessage() and reply.json()["muse"]["run"] in logged.getMessage()
    assert reply.json()["muse"]["warnings"] == [line]


@pytest.mark.parametrize("path", BODIES)
def test_a_stream_names_them_in_its_header(served, path):
    body, names = BODIES[path]
    reply = sent(served, path, {**body, "stream": True})
    assert reply.status_code == 200 and told(reply.headers[HEADER.decode()]) == names


@pytest.mark.parametrize("path", BODIES)
def test_a_request_that_says_nothing_odd_has_no_warning(served, path):
    body = {
        "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
        "/v1/responses": {"input": "hi"},
        "/v1/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
    }[path]
    hints = {"metadata": {"a": 1}, "service_tier": 5, "unheard-of": None}
    reply = sent(served, path, {**body, **hints})
    assert reply.status_code == 200 and HEADER.decode() not in reply.headers


def test_parts_and_tools_that_are_left_out_reach_no_model(served):
    body, _ = BODIES["/v1/messages"]
    sent(served, "/v1/messages", body)
    request = served.models["plain"].requests[-1]
    assert [tool.name for tool in request.tools] == ["t"]
    assert [message.text for message in request.messages] == ["hi", "x", "again"]


def test_unknown_parts_of_a_question_are_refused_and_of_a_tools_result_left_out(served):
    content = [{"type": "input_audio", "input_audio": {}}]
    reply = sent(served, "/v1/responses", {"input": [{"role": "user", "content": content}]})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "input[0].content[0]")
    use = {"type": "tool_use", "id": "u", "name": "t", "input": {}}
    found = [{"type": "tool_reference", "tool_name": "x"}, {"type": "text", "text": "ok"}]
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [use]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "u", "content": found}],
        },
    ]
    assert sent(served, "/v1/messages", {"messages": messages, "max_tokens": 9}).is_success
    (result,) = served.models["plain"].requests[-1].messages[-1].parts
    assert [part.text for part in result.content] == ["ok"]


def test_documents_of_text_and_results_of_a_search_are_read(served):
    document = {
        "type": "document",
        "title": "Title",
        "source": {"type": "text", "media_type": "text/plain", "data": "Body."},
    }
    search = {
        "type": "search_result",
        "source": "https://example.com",
        "title": "Found",
        "content": [{"type": "text", "text": "This."}],
    }
    question = [document, search, {"type": "text", "text": "So?"}]
    body = {"messages": [{"role": "user", "content": question}], "max_tokens": 9}
    assert sent(served, "/v1/messages", body).is_success
    texts = [part.text for part in served.models["plain"].requests[-1].messages[-1].parts]
    assert texts == ["Title\n\nBody.", "Found\n\nhttps://example.com\n\nThis.", "So?"]


def test_options_of_the_team_are_still_held_to_their_names(served):
    body = {"messages": [{"role": "user", "content": "hi"}], "muse": {"agnets": 2}}
    reply = sent(served, "/v1/chat/completions", body)
    assert reply.status_code == 400 and reply.json()["error"]["param"] == "muse.agnets"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"top_k": 4}, "top_k"),
        ({"min_p": 0.1}, "min_p"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"repetition_penalty": 1.2}, "repetition_penalty"),
        ({"chat_template_kwargs": {"enable_thinking": False}}, "chat_template_kwargs"),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, "messages[0].content[0]"),
    ],
)
def test_what_would_change_the_answer_and_cannot_be_honoured_is_refused_by_name(
    served, change, param
):
    body = {"messages": [{"role": "user", "content": "hi"}], **change}
    for model in ("plain", "contemplating/plain"):
        reply = sent(served, "/v1/chat/completions", {"model": model, **body})
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


NEUTRAL = {
    "seed": -1,
    "top_k": -1,
    "min_p": 0,
    "presence_penalty": 0,
    "repetition_penalty": 1,
    "logit_bias": {},
    "typical_p": 1,
    "mirostat": 0,
    "mirostat_tau": 5.0,
    "max_tokens": -1,
    "verbosity": "medium",
}


def test_values_that_ask_for_nothing_are_nothing(served):
    body = {"messages": [{"role": "user", "content": "hi"}], **NEUTRAL}
    reply = sent(served, "/v1/chat/completions", body)
    assert reply.status_code == 200 and HEADER.decode() not in reply.headers
    request = served.models["plain"].requests[-1]
    assert (request.seed, request.max_tokens) == (None, None)
    assert not list(request.sampling.set_fields())


def test_a_hint_that_a_model_does_not_know_is_dropped_and_said(served):
    body = {"messages": [{"role": "user", "content": "hi"}], "verbosity": "low"}
    reply = sent(served, "/v1/chat/completions", {**body, "reasoning_effort": "ultra"})
    assert reply.status_code == 200
    line = reply.headers[HEADER.decode()]
    assert "plain knows no verbosity" in line and "reasoning_effort ultra is none of" in line
    assert served.models["plain"].requests[-1].effort is None


def test_efforts_come_from_any_of_their_fields(served):
    body = {"messages": [{"role": "user", "content": "hi"}]}
    for fields, effort in (
        ({"reasoning": {"effort": "LOW"}}, "low"),
        ({"reasoning": {"enabled": False}}, "none"),
        ({"reasoning_effort": "minimal", "reasoning": {"effort": "high"}}, "minimal"),
    ):
        sent(served, "/v1/chat/completions", {**body, **fields})
        assert served.models["plain"].requests[-1].effort == effort


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_request_that_is_all_instructions_is_answered(served, role):
    sent(served, "/v1/chat/completions", {"messages": [{"role": role, "content": "say hi"}]})
    request = served.models["plain"].requests[-1]
    assert request.question == "say hi" and [each.role for each in request.messages] == ["user"]


PNG = base64.b64encode(DOT).decode()
PICTURES = {
    "/v1/chat/completions": {
        "messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}
        ]
    },
    "/v1/responses": {
        "input": [{"role": "user", "content": [{"type": "input_image", "image_url": PNG}]}]
    },
    "/v1/messages": {
        "max_tokens": 9,
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "source": {"type": "base64", "data": PNG}}],
            }
        ],
    },
}


@pytest.mark.parametrize("path", PICTURES)
def test_a_message_may_be_a_picture_alone(served, path):
    assert sent(served, path, PICTURES[path]).status_code == 200
    assert [image.data for image in served.models["plain"].requests[-1].images] == [DOT]


def test_a_header_is_one_short_line_whatever_the_names_are():
    warnings = RequestWarnings()
    warnings.ignore("a\r\nset-cookie: x", "färbung", "x" * 500, *(f"k{n}" for n in range(200)))
    ((name, value),) = warning_headers(warnings.told)
    assert name == HEADER and len(value) <= MAX_HEADER
    assert value.isascii() and value.decode().isprintable()
    assert "a\\r\\nset-cookie: x" in value.decode() and f"{203 - MAX_NAMES} more" in value.decode()
    assert warning_headers(()) == []
