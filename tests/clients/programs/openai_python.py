"""OpenAI's SDK for Python: Chat Completions and Responses, its parser of objects and its tools."""

import json
import sys

# settings
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8787/v1", api_key="none")
model = "contemplating"

# turns
from pydantic import BaseModel
from turns import LOOK, OBJECT, TEXT, WEATHER, weather


class Person(BaseModel):
    """An object as the answer."""

    name: str
    age: int


def text() -> None:
    """Ask for a text, streamed and not, and for an object."""
    messages = [{"role": "user", "content": TEXT}]
    done = client.chat.completions.create(model=model, messages=messages)
    with client.chat.completions.stream(model=model, messages=messages) as stream:
        streamed = stream.get_final_completion()
    assert done.choices[0].message.content == streamed.choices[0].message.content
    parsed = client.chat.completions.parse(
        model=model, messages=[{"role": "user", "content": OBJECT}], response_format=Person
    )
    assert parsed.choices[0].message.parsed == Person(name="Ada", age=36)
    first = client.responses.create(model=model, input=TEXT)
    second = client.responses.create(model=model, input=TEXT, previous_response_id=first.id)
    assert first.output_text == second.output_text == done.choices[0].message.content
    assert client.responses.parse(model=model, input=OBJECT, text_format=Person).output_parsed
    old = client.completions.create(model=model, prompt=TEXT)
    assert client.models.retrieve(model).id == model
    print(old.choices[0].text)


def tool() -> None:
    """Let a tool be called, over both protocols, and say what it found."""
    messages = [{"role": "user", "content": LOOK}]
    tools = [{"type": "function", "function": WEATHER}]
    reply = client.chat.completions.create(model=model, messages=messages, tools=tools)
    message = reply.choices[0].message
    messages.append(message)
    for call in message.tool_calls:
        found = weather(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
    said = client.chat.completions.create(model=model, messages=messages, tools=tools)

    tools = [{"type": "function", **WEATHER}]
    items = [{"role": "user", "content": LOOK}]
    reply = client.responses.create(model=model, input=items, tools=tools)
    results = [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": weather(**json.loads(item.arguments)),
        }
        for item in reply.output
        if item.type == "function_call"
    ]
    again = client.responses.create(model=model, input=items + reply.output + results, tools=tools)
    kept = client.responses.create(
        model=model, input=results, tools=tools, previous_response_id=reply.id
    )
    assert again.output_text == kept.output_text == said.choices[0].message.content
    print(again.output_text)


{"text": text, "tool": tool}[sys.argv[1]]()
