"""Requests as llama.cpp's bodies, and its chunks as deltas."""

import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from musespark.content import (
    Image,
    Message,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from musespark.errors import BeyondModel, ModelFailed
from musespark.models.fake import DOT
from musespark.models.local.chat_body import (
    MAX_SEED,
    OWN_IMAGES,
    build_chat_body,
    build_messages,
    prompt_texts,
)
from musespark.models.local.chunks import ChunkTranslator
from musespark.models.local.think_tags import CLOSE, OPEN, ThinkTags
from musespark.models.model import Finish, TextDelta, ThinkingDelta, ToolCallDelta, UsageDelta
from musespark.sampling import Sampling

LOOK = ToolSpec.of("look", "Looks.", {"type": "object"})
MARK = ToolSpec.of("mark", "Marks.", {"type": "object"})
IMAGE = Image.from_bytes(DOT)
BLOCK = {
    "type": "image_url",
    "image_url": {"url": f"data:image/png;base64,{base64.b64encode(DOT).decode()}"},
}


def test_a_conversation_keeps_its_turns():
    call = ToolCall("c1", "look", '{"at": 1}')
    built = build_messages(
        (
            Message("system", (Text("Be brief."),)),
            Message.user("Look."),
            Message("assistant", (Thinking("Hm."), Text("I look."), call)),
            Message("tool", (ToolResult("c1", (Text("A cat."),)),)),
            Message.user("So?"),
        )
    )
    function = {"name": "look", "arguments": '{"at": 1}'}
    calls = [{"type": "function", "id": "c1", "function": function}]
    assert built == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": "I look.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "A cat."},
        {"role": "user", "content": "So?"},
    ]


def test_templates_get_one_system_message_and_turns_that_alternate():
    built = build_messages(
        (
            Message.user("One."),
            Message("system", (Text("First."),)),
            Message.user("Two."),
            Message("system", (Text("Second."),)),
        )
    )
    assert built == [
        {"role": "system", "content": "First.\n\nSecond."},
        {"role": "user", "content": "One.\n\nTwo."},
    ]


def test_images_go_where_a_template_has_a_place_for_them():
    built = build_messages(
        (
            Message.user(IMAGE, "What?"),
            Message("assistant", (Text("This:"), IMAGE)),
            Message("tool", (ToolResult("c1", (Text("Enlarged."), IMAGE)),)),
        )
    )
    assert built == [
        {"role": "user", "content": [BLOCK, {"type": "text", "text": "What?"}]},
        {"role": "assistant", "content": "This:"},
        {"role": "user", "content": [{"type": "text", "text": OWN_IMAGES}, BLOCK]},
        {"role": "tool", "tool_call_id": "c1", "content": "Enlarged."},
        {"role": "user", "content": [BLOCK]},
    ]


def test_options_are_sent_as_they_are_and_none_that_was_left_open():
    plain = build_chat_body(Request.of("Q"), {})
    assert not {"temperature", "seed", "max_tokens", "stop", "tools", "response_format"} & set(
        plain
    )
    body = build_chat_body(
        Request.of("Q", temperature=0.0, top_p=0.5, seed=2**62, max_tokens=3, stop=("x",)),
        {"top_k": 5, "min_p": 0.1},
    )
    assert (body["temperature"], body["top_p"], body["max_tokens"], body["stop"]) == (
        0,
        0.5,
        3,
        ["x"],
    )
    assert 0 <= body["seed"] < MAX_SEED and (body["top_k"], body["min_p"]) == (5, 0.1)


def test_a_request_overrides_the_configured_sampling():
    asked = Sampling(top_k=9, repetition_penalty=1.2, logit_bias='{"5": -1.0}')
    body = build_chat_body(Request.of("Q", sampling=asked), {"top_k": 5, "min_p": 0.1})
    assert (body["top_k"], body["min_p"], body["repeat_penalty"]) == (9, 0.1, 1.2)
    assert body["logit_bias"] == {"5": -1.0} and "presence_penalty" not in body


@pytest.mark.parametrize(
    ("choice", "names", "sent"),
    [
        ("auto", ["look", "mark"], "auto"),
        ("none", ["look", "mark"], "none"),
        ("required", ["look", "mark"], "required"),
        ("mark", ["mark"], "required"),
    ],
)
def test_a_choice_of_one_tool_offers_that_one_alone(choice, names, sent):
    body = build_chat_body(Request.of("Q", tools=(LOOK, MARK), tool_choice=choice), {})
    assert [tool["function"]["name"] for tool in body["tools"]] == names
    assert body["tool_choice"] == sent


def test_prompts_have_in_common_what_they_begin_with():
    def texts(*messages, **options):
        return prompt_texts(build_chat_body(Request(messages=messages, **options), {}))

    first = texts(Message.user("A"))
    assert texts(Message.user("A"), seed=3, temperature=1.0, max_tokens=5) == first
    assert (
        texts(Message.user("A"), Message("assistant", (Text("B"),)), Message.user("C"))[:2] == first
    )
    for other in (
        texts(Message.user("A"), tools=(LOOK,)),
        texts(Message.user("A"), schema='{"type": "object"}'),
        texts(Message.user("A"), effort="none"),
    ):
        assert other[0] != first[0]


def chunk(finish=None, **fields):
    delta = fields.pop("delta", {})
    return {"choices": [{"delta": delta, "finish_reason": finish}], **fields}


def translated(*chunks, context=100):
    translator = ChunkTranslator("gguf:x", context)
    deltas = [delta for each in chunks for delta in translator.translate(each)]
    return [*deltas, *translator.end()]


def test_usage_is_told_before_the_first_token_and_with_each():
    deltas = translated(
        chunk(prompt_progress={"total": 10, "cache": 8, "processed": 8}),
        chunk(delta={"content": "A"}, timings={"predicted_n": 1}),
        chunk(delta={"content": "B"}, timings={"predicted_n": 2}),
        chunk("stop", __verbose={"stopping_word": "END"}),
        {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 4}},
    )
    usages = [delta.usage for delta in deltas if isinstance(delta, UsageDelta)]
    assert [(usage.prompt_tokens, usage.critical_path) for usage in usages] == [
        (10, 0),
        (10, 1),
        (10, 2),
        (10, 4),
    ]
    assert all(usage.tokens == usage.prompt_tokens + usage.critical_path for usage in usages)
    assert deltas[-1] == Finish(stop="END")


def test_pieces_of_a_tool_call_are_one_call():
    def piece(**function):
        return chunk(delta={"tool_calls": [{"index": 0, "id": "c1", "function": function}]})

    deltas = translated(
        piece(name="look"), piece(arguments='{"a'), piece(arguments='": 1}'), chunk("tool_calls")
    )
    assert deltas[0] == ToolCallDelta(ToolCall("c1", "look", '{"a": 1}', "gguf:x"))


def test_the_end_says_if_the_limit_or_the_context_was_reached():
    ended = {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 90}}
    assert translated(chunk("length"), ended)[-1].detail == "its context of 100 tokens is full"
    assert "most tokens" in translated(chunk("length"), ended, context=200)[-1].detail


def test_a_reply_that_broke_off_is_a_failure():
    with pytest.raises(ModelFailed, match="broke off"):
        translated(chunk(delta={"content": "A"}))


def test_errors_are_one_sentence():
    error = {"type": "exceed_context_size_error", "n_prompt_tokens": 4031, "n_ctx": 100}
    with pytest.raises(
        BeyondModel, match=r"cannot read 4,031 tokens, for its context has 100; shorten"
    ):
        translated({"error": error})
    with pytest.raises(ModelFailed, match=r"refused the request \(no such thing\)\.$"):
        translated({"error": {"type": "invalid_request_error", "message": "no\nsuch thing."}})


def test_thoughts_of_their_own_field_are_thoughts():
    deltas = translated(
        chunk(delta={"reasoning_content": "Hm."}), chunk(delta={"content": "A"}), chunk("stop")
    )
    assert deltas[:2] == [ThinkingDelta("Hm."), TextDelta("A")]


TEXTS = st.text(st.sampled_from("ab <>/think\n"), max_size=20)


@given(
    thought=TEXTS,
    answer=TEXTS,
    cuts=st.lists(st.integers(0, 60), max_size=8),
    before=st.sampled_from(["", "\n", "  "]),
)
def test_thoughts_between_tags_are_thoughts_however_they_are_cut(thought, answer, cuts, before):
    answer = answer.strip()
    thought = thought.replace(CLOSE, "")
    reply = f"{before}{OPEN}{thought}{CLOSE}\n\n{answer}"
    ends = sorted({min(cut, len(reply)) for cut in cuts} | {0, len(reply)})
    tags = ThinkTags()
    deltas = [delta for start, end in pairwise(ends) for delta in tags.add(reply[start:end])]
    deltas += tags.end()
    said = {
        kind: "".join(delta.text for delta in deltas if isinstance(delta, kind))
        for kind in (ThinkingDelta, TextDelta)
    }
    assert said == {ThinkingDelta: thought, TextDelta: answer}


@given(text=TEXTS, cut=st.integers(0, 20))
def test_text_without_a_thought_at_its_beginning_stays_as_it_is(text, cut):
    text = f"x{text}"
    tags = ThinkTags()
    deltas = [*tags.add(text[:cut]), *tags.add(text[cut:]), *tags.end()]
    assert deltas and all(isinstance(delta, TextDelta) for delta in deltas)
    assert "".join(delta.text for delta in deltas) == text


def test_a_body_is_json():
    body = build_chat_body(
        Request.of("Q", tools=(LOOK,), schema='{"type": "object"}'), {"top_k": 1}
    )
    assert json.loads(json.dumps(body)) == body
