"""OpenAI's Agents SDK for Python, over Responses (its default) and Chat Completions."""

import asyncio
import os
import sys

# settings
os.environ["OPENAI_BASE_URL"] = "http://127.0.0.1:8787/v1"
os.environ["OPENAI_API_KEY"] = "none"
os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
model = "contemplating"

# turns
import turns
from agents import Agent, Runner, function_tool, set_default_openai_api
from pydantic import BaseModel


class Person(BaseModel):
    """An object as the answer."""

    name: str
    age: int


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    return turns.weather(city)


async def streamed(agent: Agent, question: str) -> str:
    """Ask for the answer as a stream."""
    result = Runner.run_streamed(agent, question)
    async for _ in result.stream_events():
        pass
    return result.final_output


def text(protocol: str) -> str:
    """Ask for a text, streamed and not, and for an object."""
    agent = Agent(name="a", instructions="Be short.", model=model)
    said = Runner.run_sync(agent, turns.TEXT).final_output
    assert asyncio.run(streamed(agent, turns.TEXT)) == said
    person = Agent(name="b", model=model, output_type=Person)
    assert Runner.run_sync(person, turns.OBJECT).final_output == Person(name="Ada", age=36)
    return said


def tool(protocol: str) -> str:
    """Let an agent call a tool, in two turns of one conversation."""
    agent = Agent(name="a", model=model, tools=[weather])
    first = Runner.run_sync(agent, turns.LOOK)
    follow = [*first.to_input_list(), {"role": "user", "content": turns.LOOK}]
    said = Runner.run_sync(agent, follow).final_output
    if protocol == "responses":
        kept = Runner.run_sync(agent, turns.LOOK, previous_response_id=first.last_response_id)
        assert kept.final_output == said
    return said


for protocol in ("responses", "chat_completions"):
    set_default_openai_api(protocol)
    print({"text": text, "tool": tool}[sys.argv[1]](protocol))
