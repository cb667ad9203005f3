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


async def text(protocol: str) -> str:
    """Ask for a text, streamed and not, and for an object."""
    agent = Agent(name="a", instructions="Be short.", model=model)
    streamed = Runner.run_streamed(agent, turns.TEXT)
    async for _ in streamed.stream_events():
        pass
    said = (await Runner.run(agent, turns.TEXT)).final_output
    assert streamed.final_output == said
    person = Agent(name="b", model=model, output_type=Person)
    found = await Runner.run(person, turns.OBJECT)
    assert found.final_output == Person(name="Ada", age=36)
    return said


async def tool(protocol: str) -> str:
    """Let an agent call a tool, in two turns of one conversation."""
    agent = Agent(name="a", model=model, tools=[weather])
    first = await Runner.run(agent, turns.LOOK)
    follow = [*first.to_input_list(), {"role": "user", "content": turns.LOOK}]
    said = (await Runner.run(agent, follow)).final_output
    if protocol == "responses":
        kept = await Runner.run(agent, turns.LOOK, previous_response_id=first.last_response_id)
        assert kept.final_output == said
    return said


async def main(turn: str) -> None:
    """Run a turn over both protocols."""
    for protocol in ("responses", "chat_completions"):
        set_default_openai_api(protocol)
        print(await {"text": text, "tool": tool}[turn](protocol))


asyncio.run(main(sys.argv[1]))
