"""LangChain with langchain-openai: Chat Completions and Responses."""

import sys

# settings
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="contemplating", base_url="http://127.0.0.1:8787/v1", api_key="none")

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


models = (model, model.model_copy(update={"use_responses_api": True}))


def text() -> None:
    """Ask for a text, streamed and not, and for an object in each way."""
    for each in models:
        said = each.invoke(turns.TEXT).text
        assert "".join(chunk.text for chunk in each.stream(turns.TEXT)) == said
        for method in ("json_schema", "function_calling", "json_mode"):
            structured = each.with_structured_output(Person, method=method)
            question = f"{turns.OBJECT} Answer by this JSON schema: {Person.model_json_schema()}"
            assert structured.invoke(question) == Person(name="Ada", age=36), method
    print(said)


def tool() -> None:
    """Let an agent of LangChain's call a tool, in two turns of one conversation."""
    for each in models:
        agent = create_agent(each, [weather])
        first = agent.invoke({"messages": [("user", turns.LOOK)]})
        second = agent.invoke({"messages": [*first["messages"], ("user", turns.LOOK)]})
        assert second["messages"][-1].text == first["messages"][-1].text
    print(second["messages"][-1].text)


{"text": text, "tool": tool}[sys.argv[1]]()
