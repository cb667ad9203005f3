"""The questions that every program is asked, and the tool that it may use."""

import os

TEXT = "Say heliotrope."
OBJECT = "Who is that? Say Ada."
LOOK = "What is the weather in Paris?"
WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def weather(city: str) -> str:
    """The weather of a city."""
    return f"In {city} it is {os.environ['SECRET']}."
