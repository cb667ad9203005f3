"""LangChain with langchain-anthropic."""

import sys

# settings
from langchain_anthropic import ChatAnthropic

model = ChatAnthropic(model="contemplating", base_url="http://127.0.0.1:8787", api_key="none")

# turns
import turns
from langchain.agents import create_agent
from langchain_core.tools import tool as as_tool
from pydantic import BaseModel


class Person(BaseModel):
    """An object as the answer."""

    name: str
    age: int


@as_tool
def weather(city: str) -> str:
    """The weather of a city."""
    return turns.weather(city)


def text() -> None:
    """Ask for a text, streamed and not, and for an object in each way."""
    said = model.invoke(turns.TEXT).text
    assert "".join(chunk.text for chunk in model.stream(turns.TEXT)) == said
    for method in ("json_schema", "function_calling"):
        structured = model.with_structured_output(Person, method=method)
        assert structured.invoke(turns.OBJECT) == Person(name="Ada", age=36), method
    print(said)


def tool() -> None:
    """Let an agent of LangChain's call a tool, in two turns of one conversation."""
    agent = create_agent(model, [weather])
    first = agent.invoke({"messages": [("user", turns.LOOK)]})
    second = agent.invoke({"messages": [*first["messages"], ("user", turns.LOOK)]})
    print(second["messages"][-1].text)


{"text": text, "tool": tool}[sys.argv[1]]()
