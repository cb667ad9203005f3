"""Semantic Kernel with its OpenAI connector."""

import asyncio
import sys

# settings
from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion

client = AsyncOpenAI(base_url="http://127.0.0.1:8787/v1", api_key="none")
service = OpenAIChatCompletion(ai_model_id="contemplating", async_client=client)

# turns
import turns
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.functions import kernel_function


class Tools:
    """Functions that the kernel may call."""

    @kernel_function
    def weather(self, city: str) -> str:
        """The weather of a city."""
        return turns.weather(city)


async def text() -> None:
    """Ask for a text, streamed and not."""
    agent = ChatCompletionAgent(service=service, name="a")
    said = str(await agent.get_response(turns.TEXT))
    pieces = [str(piece.message) async for piece in agent.invoke_stream(turns.TEXT)]
    assert "".join(pieces) == said
    print(said)


async def tool() -> None:
    """Let the kernel call a tool, in two turns of one conversation."""
    agent = ChatCompletionAgent(service=service, name="a", plugins=[Tools()])
    first = await agent.get_response(turns.LOOK)
    print(await agent.get_response(turns.LOOK, thread=first.thread))


asyncio.run({"text": text, "tool": tool}[sys.argv[1]]())
