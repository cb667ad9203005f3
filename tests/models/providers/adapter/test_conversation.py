"""The laws of what goes out and comes back, for any ids and any signatures."""

import json
import re

from hypothesis import given, strategies as st
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, ThinkingPart, ToolCallPart

from musespark.content import Message, Text, Thinking, ToolCall, ToolResult
from musespark.models.providers.adapter.conversation import (
    USUAL_ID,
    decode_provider_state,
    encode_provider_state,
    from_provider_response,
    to_provider_messages,
)

IDS = st.lists(st.text(min_size=1, max_size=90), min_size=1, max_size=5, unique=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.dictionaries(st.text(), inner, max_size=3),
)


def conversation(ids):
    calls = Message("assistant", tuple(ToolCall(id, "look", "{}", "other") for id in ids))
    return (
        Message.user("Look."),
        calls,
        Message("tool", tuple(ToolResult(id, (Text(id),)) for id in reversed(ids))),
    )


@given(IDS, st.sampled_from([None, 9]))
def test_ids_suit_stay_apart_and_match_their_results(ids, length):
    _, reply, results = to_provider_messages(conversation(ids), "here", "openai", length)
    sent = [part.tool_call_id for part in reply.parts]
    suits = re.compile(f"[A-Za-z0-9]{{{length}}}") if length else USUAL_ID
    assert all(suits.fullmatch(id) for id in sent) and len(set(sent)) == len(ids)
    assert {part.tool_call_id: part.content for part in results.parts} == dict(
        zip(sent, ids, strict=True)
    )
    again = to_provider_messages(conversation(ids)[1:], "here", "openai", length)[0]
    assert [part.tool_call_id for part in again.parts] == sent
    assert all(
        given_id == id for given_id, id in zip(sent, ids, strict=True) if suits.fullmatch(id)
    )


@given(st.text(), st.text(), st.text(), st.dictionaries(st.text(), JSON, max_size=3))
def test_what_is_sealed_opens_for_its_own_provider_alone(origin, other, signature, details):
    part = ThinkingPart(
        "thought", id="1", signature=signature, provider_name="p", provider_details=details
    )
    kept = encode_provider_state(part, origin)
    expected = {
        "id": "1",
        "signature": signature,
        "provider_name": "p",
        "provider_details": details,
    }
    assert decode_provider_state(kept, origin) == expected
    assert other == origin or decode_provider_state(kept, other) is None


def test_what_is_sealed_tells_no_address_and_what_was_stored_with_one_still_opens():
    part = ThinkingPart("thought", signature="s", provider_name="p")
    origin = "vllm:qwen@http://gpu-7.internal:8000/v1"
    kept = encode_provider_state(part, origin)
    assert "gpu-7" not in kept and "qwen" not in kept
    stored = json.dumps({**json.loads(kept), "origin": origin})
    assert decode_provider_state(stored, origin) == decode_provider_state(kept, origin)
    assert decode_provider_state(stored, "vllm:qwen@http://gpu-8.internal:8000/v1") is None


@given(st.text())
def test_signatures_of_other_backends_open_nothing(signature):
    assert decode_provider_state(signature, "here") is None


@given(st.text(min_size=1), st.text(), st.text(min_size=1))
def test_a_reply_comes_back_as_it_was_to_who_made_it(text, thought, signature):
    response = ModelResponse(
        parts=[
            ThinkingPart(thought, signature=signature, provider_name="p"),
            TextPart(text),
            ToolCallPart("look", '{"a": 1}', "an id|of its own"),
        ],
        provider_name="p",
    )
    message = from_provider_response(response, "p:model", "here")
    assert [type(part) for part in message.parts] == [Thinking, Text, ToolCall] and message.parts[
        2
    ].arguments == '{"a": 1}'
    (own,) = to_provider_messages((message,), "here", "p")
    assert (own.parts[0].content, own.parts[0].signature, own.parts[1].content) == (
        thought,
        signature,
        text,
    )
    (foreign,) = to_provider_messages((message,), "elsewhere", "q")
    assert [type(part) for part in foreign.parts] == [
        TextPart,
        ToolCallPart,
    ] and foreign.provider_name is None


def test_a_reply_of_foreign_thoughts_alone_is_left_out_whole():
    only = Message("assistant", (Thinking("hm", '{"origin": "there"}', "other"),))
    (request,) = to_provider_messages(
        (Message.user("1"), only, Message.user("2")), "here", "openai"
    )
    assert isinstance(request, ModelRequest) and [part.content for part in request.parts] == [
        "1",
        "2",
    ]
