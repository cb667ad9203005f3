"""Haystack with its OpenAI generators."""

import sys

# settings
from haystack.components.generators.chat import OpenAIChatGenerator, OpenAIResponsesChatGenerator
from haystack.utils import Secret

settings = {
    "model": "contemplating",
    "api_base_url": "http://127.0.0.1:8787/v1",
    "api_key": Secret.from_token("none"),
}
generators = [OpenAIChatGenerator(**settings), OpenAIResponsesChatGenerator(**settings)]

# turns
import turns
from haystack.components.agents import Agent
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function

weather = create_tool_from_function(turns.weather)


def text() -> None:
    """Ask for a text."""
    for generator in generators:
        reply = generator.run([ChatMessage.from_user(turns.TEXT)])
        print(reply["replies"][0].text)


def tool() -> None:
    """Let an agent call a tool."""
    for generator in generators:
        agent = Agent(chat_generator=generator, tools=[weather])
        print(agent.run(messages=[ChatMessage.from_user(turns.LOOK)])["last_message"].text)


{"text": text, "tool": tool}[sys.argv[1]]()
