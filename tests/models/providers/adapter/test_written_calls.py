"""Calls that a model wrote into its text are calls, if a tool of that name was offered and nothing else stands there."""

import json

import pytest
from models.providers.servers import Raw, serving

from musespark.content import Request, Text, ToolCall, ToolSpec
from musespark.models.model import Finish, TextBecameThought, TextDelta, ToolCallDelta
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import Compatible

SCALES = ToolSpec.of(
    "weigh",
    "Weighs.",
    {
        "type": "object",
        "properties": {"what": {"type": "string"}, "times": {"type": "integer"}},
    },
)
ASKED = Request.of("How heavy?", tools=(SCALES,))
ONE = '{"name": "weigh", "arguments": {"what": "5", "times": 2}}'
WANTED = [("weigh", {"what": "5", "times": 2})]
WRITTEN = {
    "Hermes": f"<tool_call>\n{ONE}\n</tool_call>",
    "cut": f"<tool_call>\n{ONE}",
    "Hermes, in a fence": f"<tool_call>\n```json\n{ONE}\n```\n</tool_call>",
    "Granite": f"<|tool_call|>[{ONE}]",
    "Mistral, a list": f"[TOOL_CALLS] [{ONE}]",
    "Mistral, a name": '[TOOL_CALLS]weigh[CALL_ID]abc123[ARGS]{"what": "5", "times": 2}',
    "Llama": '<|python_tag|>{"type": "function", "name": "weigh", "parameters": {"what": "5", "times": 2}}<|eom_id|>',
    "Llama, a tag": '<function=weigh>{"what": "5", "times": 2}</function>',
    "Qwen Coder": "<tool_call>\n<function=weigh>\n<parameter=what>\n5\n</parameter>\n<parameter=times>\n2\n</parameter>\n"
    "</function>\n</tool_call>",
    "GLM": "<tool_call>weigh\n<arg_key>what</arg_key>\n<arg_value>5</arg_value>\n<arg_key>times</arg_key>\n"
    "<arg_value>2</arg_value>\n</tool_call>",
    "DeepSeek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weigh\n```json\n"
    '{"what": "5", "times": 2}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    "Kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.weigh:0<|tool_call_argument_begin|>"
    '{"what": "5", "times": 2}<|tool_call_end|><|tool_calls_section_end|>',
    "Phi": f"functools[{ONE}]",
    "JSON": ONE,
    "JSON in a fence": f"```json\n{ONE}\n```",
    "JSON of the protocol": json.dumps(
        {
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "weigh", "arguments": '{"what": "5", "times": 2}'},
                }
            ]
        }
    ),
}
TEXTS = {
    "a mention": "A model writes <tool_call> before it calls.",
    "an example in a fence": f"So it looks:\n```\n<tool_call>\n{ONE}\n</tool_call>\n```",
    "JSON among words": f"For example:\n```json\n{ONE}\n```\nis a call.",
    "another tool": ONE.replace("weigh", "fly"),
    "other JSON": '{"name": "weigh", "arguments": {"what": "5"}, "price": 3}',
    "a name alone": '{"name": "weigh"}',
    "a list": "[1, 2]",
    "words after it": f"<tool_call>\n{ONE}\n</tool_call>\nThis is how I would have called it.",
    "broken JSON": '<tool_call>\n{"name": "weigh", "arguments": {"what": \n</tool_call>',
    "nothing in it": "<tool_call></tool_call>",
}


async def heard(text, request=ASKED, finish="stop", pieces=7):
    parts = [text[at : at + pieces] for at in range(0, len(text), pieces)]
    chunks = [{"choices": [{"index": 0, "delta": {"content": part}}]} for part in parts]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
    async with serving("chat", Raw(body)) as server:
        model = RemoteModel(Compatible(), "any", RemoteOptions(base_url=server.url))
        return [delta async for delta in model.stream(request)]


def calls_of(deltas):
    said = [each.call for each in deltas if isinstance(each, ToolCallDelta)]
    assert isinstance(deltas[-1], Finish)
    assert said == [part for part in deltas[-1].message.parts if isinstance(part, ToolCall)]
    assert len({call.id for call in said}) == len(said)
    return [(call.name, call.parsed()) for call in said]


def text_of(deltas):
    return "".join(part.text for part in deltas[-1].message.parts if isinstance(part, Text))


@pytest.mark.parametrize("form", WRITTEN)
async def test_a_call_within_the_text_is_a_call_and_no_text(form):
    deltas = await heard(WRITTEN[form])
    assert calls_of(deltas) == WANTED and text_of(deltas) == ""
    turned = deltas.index(TextBecameThought())
    assert not any(isinstance(each, TextDelta) for each in deltas[turned:])


@pytest.mark.parametrize("case", TEXTS)
async def test_any_other_text_stays_text(case):
    deltas = await heard(TEXTS[case])
    assert calls_of(deltas) == [] and text_of(deltas) == TEXTS[case]
    assert TextBecameThought() not in deltas


async def test_several_calls_after_words_leave_the_words():
    both = f"I shall weigh it.\n{WRITTEN['Hermes']}\n{WRITTEN['Hermes'].replace('5', 'a stone')}"
    deltas = await heard(both)
    assert [given["what"] for _, given in calls_of(deltas)] == ["5", "a stone"]
    assert text_of(deltas) == "I shall weigh it."
    after = deltas[deltas.index(TextBecameThought()) :]
    assert TextDelta("I shall weigh it.") in after


@pytest.mark.parametrize(
    ("change", "finish"),
    [({"tools": ()}, "stop"), ({"tool_choice": "none"}, "stop"), ({}, "length")],
    ids=["no tool offered", "none wanted", "cut off"],
)
async def test_no_call_is_read_where_there_can_be_none(change, finish):
    request = Request.of("How heavy?", **{"tools": (SCALES,), **change})
    deltas = await heard(WRITTEN["Hermes"], request, finish)
    assert calls_of(deltas) == [] and text_of(deltas) == WRITTEN["Hermes"]


async def test_json_is_the_answer_where_the_answer_is_json():
    schema = json.dumps({"type": "object", "properties": {"name": {"type": "string"}}})
    request = Request.of("How heavy?", tools=(SCALES,), schema=schema)
    assert text_of(await heard(ONE, request)) == ONE
    assert calls_of(await heard(WRITTEN["Hermes"], request)) == WANTED
