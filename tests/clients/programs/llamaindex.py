"""LlamaIndex: its model for servers that speak OpenAI's protocol, its function agent and its structured output."""

import asyncio
import sys

# settings
from llama_index.llms.openai_like import OpenAILike

llm = OpenAILike(
    model="contemplating",
    api_base="http://127.0.0.1:8787/v1",
    api_key="none",
    is_chat_model=True,
    is_function_calling_model=True,
)

# turns
import turns
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from pydantic import BaseModel


class Person(BaseModel):
    """An object as the answer."""

    name: str
    age: int


def weather(city: str) -> str:
    """The weather of a city."""
    return turns.weather(city)


def text() -> None:
    """Ask for a text, streamed and not, and for an object."""
    messages = [ChatMessage(role="user", content=turns.TEXT)]
    said = llm.chat(messages).message.content
    assert "".join(chunk.delta or "" for chunk in llm.stream_chat(messages)) == said
    asked = [ChatMessage(role="user", content=turns.OBJECT)]
    assert llm.as_structured_llm(Person).chat(asked).raw == Person(name="Ada", age=36)
    print(said)


async def look() -> str:
    """Let a function agent call a tool."""
    agent = FunctionAgent(tools=[weather], llm=llm)
    return str(await agent.run(turns.LOOK))


def tool() -> None:
    """Say what the agent found."""
    print(asyncio.run(look()))


{"text": text, "tool": tool}[sys.argv[1]]()
