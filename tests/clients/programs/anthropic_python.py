"""Anthropic's SDK for Python: Messages, and its tool runner."""

import sys

# settings
from anthropic import Anthropic

client = Anthropic(base_url="http://127.0.0.1:8787", api_key="none")
model = "contemplating"

# turns
import turns
from anthropic import beta_tool
from pydantic import BaseModel


class Person(BaseModel):
    """An object as the answer."""

    name: str
    age: int


@beta_tool
def weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: Its name.
    """
    return turns.weather(city)


def text() -> None:
    """Ask for a text, streamed and not, and for an object."""
    messages = [{"role": "user", "content": turns.TEXT}]
    done = client.messages.create(model=model, max_tokens=1000, messages=messages)
    with client.messages.stream(model=model, max_tokens=1000, messages=messages) as stream:
        assert stream.get_final_text() == done.content[-1].text
    person = client.messages.parse(
        model=model,
        max_tokens=1000,
        messages=[{"role": "user", "content": turns.OBJECT}],
        output_format=Person,
    )
    assert person.parsed_output == Person(name="Ada", age=36)
    assert client.messages.count_tokens(model=model, messages=messages).input_tokens
    assert client.models.retrieve(model).id == model
    print(done.content[-1].text)


def tool() -> None:
    """Let the SDK's own loop call a tool."""
    runner = client.beta.messages.tool_runner(
        model=model,
        max_tokens=1000,
        messages=[{"role": "user", "content": turns.LOOK}],
        tools=[weather],
    )
    print(runner.until_done().content[-1].text)


{"text": text, "tool": tool}[sys.argv[1]]()
