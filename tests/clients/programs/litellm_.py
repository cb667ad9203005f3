"""LiteLLM over Chat Completions, Responses and Messages."""

import json
import sys

# settings
import litellm

openai = {
    "model": "openai/contemplating",
    "api_base": "http://127.0.0.1:8787/v1",
    "api_key": "none",
}
anthropic = {
    "model": "anthropic/contemplating",
    "api_base": "http://127.0.0.1:8787",
    "api_key": "none",
}

# turns
import turns

TOOLS = [{"type": "function", "function": turns.WEATHER}]


def text() -> None:
    """Ask for a text over each protocol, streamed and not."""
    messages = [{"role": "user", "content": turns.TEXT}]
    said = set()
    for settings in (openai, anthropic):
        said.add(litellm.completion(messages=messages, **settings).choices[0].message.content)
        chunks = litellm.completion(messages=messages, stream=True, **settings)
        said.add("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
    response = litellm.responses(input=turns.TEXT, **openai)
    said.add(response.output[-1].content[0].text)
    (only,) = said
    print(only)


def tool() -> None:
    """Let a tool be called, over each protocol."""
    for settings in (openai, anthropic):
        messages = [{"role": "user", "content": turns.LOOK}]
        message = litellm.completion(messages=messages, tools=TOOLS, **settings).choices[0].message
        messages.append(message)
        for call in message.tool_calls:
            found = turns.weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
        said = litellm.completion(messages=messages, tools=TOOLS, **settings)
        print(said.choices[0].message.content)


{"text": text, "tool": tool}[sys.argv[1]]()
