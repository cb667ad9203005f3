"""The form of responses that the Open Responses specification asks for: every field is there, and has a value of its type."""

import json

import httpx
import pytest

from .test_responses import ASK, TOOLS

NUMBER, OPTIONAL_TEXT, OPTIONAL_NUMBER = (int, float), (str, type(None)), (int, type(None))
OBJECT = (dict, type(None))
RESPONSE = {
    "id": str,
    "object": str,
    "created_at": int,
    "completed_at": OPTIONAL_NUMBER,
    "status": str,
    "incomplete_details": OBJECT,
    "model": str,
    "previous_response_id": OPTIONAL_TEXT,
    "instructions": OPTIONAL_TEXT,
    "output": list,
    "error": OBJECT,
    "tools": list,
    "tool_choice": (str, dict),
    "truncation": str,
    "parallel_tool_calls": bool,
    "text": dict,
    "top_p": NUMBER,
    "presence_penalty": NUMBER,
    "frequency_penalty": NUMBER,
    "top_logprobs": int,
    "temperature": NUMBER,
    "reasoning": OBJECT,
    "usage": OBJECT,
    "max_output_tokens": OPTIONAL_NUMBER,
    "max_tool_calls": OPTIONAL_NUMBER,
    "store": bool,
    "background": bool,
    "service_tier": str,
    "metadata": dict,
    "safety_identifier": OPTIONAL_TEXT,
    "prompt_cache_key": OPTIONAL_TEXT,
}
ITEMS = {
    "message": {"id": str, "role": str, "status": str, "content": list},
    "reasoning": {"id": str, "summary": list},
    "function_call": {"id": str, "call_id": str, "name": str, "arguments": str, "status": str},
}
TOOL = {
    "name": str,
    "description": OPTIONAL_TEXT,
    "parameters": OBJECT,
    "strict": (bool, type(None)),
}
USAGE = {
    "input_tokens": int,
    "output_tokens": int,
    "total_tokens": int,
    "input_tokens_details": dict,
    "output_tokens_details": dict,
}
PLACE = {"item_id": str, "output_index": int}
EVENTS = {
    "response.output_item.added": {"output_index": int, "item": dict},
    "response.output_item.done": {"output_index": int, "item": dict},
    "response.content_part.added": {**PLACE, "content_index": int, "part": dict},
    "response.content_part.done": {**PLACE, "content_index": int, "part": dict},
    "response.output_text.delta": {**PLACE, "content_index": int, "delta": str, "logprobs": list},
    "response.output_text.done": {**PLACE, "content_index": int, "text": str, "logprobs": list},
    "response.reasoning_summary_part.added": {**PLACE, "summary_index": int, "part": dict},
    "response.reasoning_summary_part.done": {**PLACE, "summary_index": int, "part": dict},
    "response.reasoning_summary_text.delta": {**PLACE, "summary_index": int, "delta": str},
    "response.reasoning_summary_text.done": {**PLACE, "summary_index": int, "text": str},
    "response.function_call_arguments.delta": {**PLACE, "delta": str},
    "response.function_call_arguments.done": {**PLACE, "arguments": str},
}
WEATHER = {"type": "function", "name": "weather"}
RED_DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQ"
    "AAAABJRU5ErkJggg=="
)
REQUESTS = {
    "a text": {"model": "plain", "input": [{"type": "message", "role": "user", "content": ASK}]},
    "a team's": {"model": "contemplating", "input": ASK},
    "with a system message": {
        "model": "plain",
        "input": [{"role": "system", "content": "Arr."}, {"role": "user", "content": ASK}],
    },
    "with tools": {"model": "weather", "input": ASK, "tools": TOOLS},
    "with a tool of no more than a name": {"model": "weather", "input": ASK, "tools": [WEATHER]},
    "with a tool that was chosen": {
        "model": "weather",
        "input": ASK,
        "tools": TOOLS,
        "tool_choice": WEATHER,
    },
    "with an image": {
        "model": "plain",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is it?"},
                    {"type": "input_image", "image_url": RED_DOT},
                ],
            }
        ],
    },
    "in several turns": {
        "model": "plain",
        "input": [
            {"role": "user", "content": "I am Alice."},
            {"role": "assistant", "content": "Hello Alice!", "phase": "final_answer"},
            {"role": "user", "content": "Who am I?"},
        ],
    },
    "with options": {
        "model": "plain",
        "input": ASK,
        "temperature": 0,
        "top_p": 0.5,
        "max_output_tokens": 99,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "text"}},
    },
}


def check(value, form):
    """Every field of a form is there, with a value of its type."""
    for name, kind in form.items():
        assert name in value, name
        assert isinstance(value[name], kind), (name, value[name])


def check_response(response):
    """A response has the form, and so have its items, tools and usage."""
    check(response, RESPONSE)
    for item in response["output"]:
        check(item, ITEMS[item["type"]])
    for tool in response["tools"]:
        check(tool, TOOL)
    if response["usage"] is not None:
        check(response["usage"], USAGE)


@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS)
def test_a_response_has_the_form(served, body):
    response = httpx.post(f"{served.url}/v1/responses", json=body, timeout=60).json()
    check_response(response)
    assert response["status"] == "completed" and response["output"] and response["usage"]
    assert response["completed_at"] >= response["created_at"]
    for name in ("temperature", "top_p", "max_output_tokens", "metadata"):
        assert name not in body or response[name] == body[name]


@pytest.mark.parametrize("body", REQUESTS.values(), ids=REQUESTS)
def test_every_event_has_its_form(served, body):
    with httpx.stream(
        "POST", f"{served.url}/v1/responses", json={**body, "stream": True}, timeout=60
    ) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    for number, event in enumerate(events):
        assert event["sequence_number"] == number
        if "response" in event:
            check_response(event["response"])
        else:
            check(event, EVENTS[event["type"]])
    assert events[-1]["type"] == "response.completed" and events[-1]["response"]["completed_at"]
    assert events[0]["response"]["completed_at"] is None


def test_a_compaction_has_the_form_and_needs_a_model(served):
    url = f"{served.url}/v1/responses/compact"
    done = httpx.post(url, json={"model": "plain", "input": ASK}).json()
    form = {"id": str, "object": str, "created_at": int, "output": list, "usage": dict}
    check(done, form)
    check(done["usage"], USAGE)
    assert done["output"][-1]["type"] == "compaction"
    refused = httpx.post(url, json={"input": ASK})
    assert refused.status_code == 400 and refused.json()["error"]["param"] == "model"
