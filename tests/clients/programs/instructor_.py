"""instructor, in the modes that each of the three protocols has."""

import os
import sys

# settings
import instructor
from anthropic import Anthropic

chat = instructor.from_provider(
    "openai/contemplating", base_url="http://127.0.0.1:8787/v1", api_key="none"
)
messages = instructor.from_anthropic(
    Anthropic(base_url="http://127.0.0.1:8787", api_key="none"), model="contemplating"
)

# turns
from collections.abc import Iterable

import turns
from pydantic import BaseModel


class Person(BaseModel):
    """An object as the answer."""

    name: str
    age: int


ADA = Person(name="Ada", age=36)
ASKED = [{"role": "user", "content": turns.OBJECT}]
MODES = {
    "text": (
        (chat, ("JSON", "JSON_SCHEMA", "MD_JSON", "RESPONSES_TOOLS")),
        (messages, ("ANTHROPIC_JSON",)),
    ),
    "tool": (
        (chat, ("TOOLS", "TOOLS_STRICT", "PARALLEL_TOOLS", "RESPONSES_TOOLS")),
        (messages, ("ANTHROPIC_TOOLS", "ANTHROPIC_REASONING_TOOLS", "ANTHROPIC_PARALLEL_TOOLS")),
    ),
}


def main(turn: str) -> None:
    """Get the object in every mode of a turn."""
    for client, modes in MODES[turn]:
        for name in modes:
            mode = instructor.Mode[name]
            several = "PARALLEL" in name
            client.mode = mode
            found = client.create(
                response_model=Iterable[Person] if several else Person,
                messages=ASKED,
                **({"max_tokens": 1000} if client is messages else {}),
            )
            (person,) = found if several else [found]
            assert person.model_dump() == ADA.model_dump(), name
    print(os.environ["SECRET"] if turn == "tool" else "heliotrope")


main(sys.argv[1])
