"""pydantic-ai, over its models of OpenAI's two protocols and of Anthropic's."""

import sys

# settings
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

openai = OpenAIProvider(base_url="http://127.0.0.1:8787/v1", api_key="none")
anthropic = AnthropicProvider(base_url="http://127.0.0.1:8787", api_key="none")
models = [
    OpenAIChatModel("contemplating", provider=openai),
    OpenAIResponsesModel("contemplating", provider=openai),
    AnthropicModel("contemplating", provider=anthropic),
]

# turns
import turns
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, PromptedOutput, ToolOutput


class Person(BaseModel):
    """An object as the answer."""

    name: str
    age: int


def text() -> None:
    """Ask for a text, streamed and not, and for an object in each way."""
    for model in models:
        agent = Agent(model)
        said = agent.run_sync(turns.TEXT).output
        assert agent.run_stream_sync(turns.TEXT).get_output() == said
        native = [] if isinstance(model, AnthropicModel) else [NativeOutput(Person)]  # Claude alone
        for output in (*native, PromptedOutput(Person), ToolOutput(Person)):
            found = Agent(model, output_type=output).run_sync(turns.OBJECT).output
            assert found == Person(name="Ada", age=36), (model, output)
    print(said)


def tool() -> None:
    """Let an agent call a tool, in two turns of one conversation."""
    for model in models:
        agent = Agent(model, tools=[turns.weather])
        first = agent.run_sync(turns.LOOK)
        second = agent.run_sync(turns.LOOK, message_history=first.all_messages())
        assert second.output == first.output
    print(second.output)


{"text": text, "tool": tool}[sys.argv[1]]()
