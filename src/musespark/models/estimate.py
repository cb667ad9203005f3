"""About how many tokens a backend reads and writes, before it has counted them; what it reads on the high side, for budgets."""

from __future__ import annotations

from musespark.content import Image, Request, Text, Thinking, ToolCall, ToolResult, Video

CHARACTERS_PER_TOKEN = 3.5
"""Of Latin text; a character of another script is taken for a token."""
TOKENS_PER_IMAGE = 1100
TOKENS_PER_SECOND = 300
"""Of a video that a model takes whole, its sound included."""
TOKENS_PER_MESSAGE = 4
CHARACTERS_PER_WRITTEN_TOKEN = 4
"""Of what a model writes, roughly: what is counted by until it tells."""


def written_tokens(characters: int) -> int:
    """The tokens of so much text that a model wrote."""
    return characters // CHARACTERS_PER_WRITTEN_TOKEN


def prompt_tokens(request: Request) -> int:
    """The tokens of a request's messages, tools and schema."""
    tokens = TOKENS_PER_MESSAGE * len(request.messages) + tokens_of(request.schema or "")
    for tool in request.tools:
        tokens += tokens_of(tool.name) + tokens_of(tool.description) + tokens_of(tool.parameters)
    for message in request.messages:
        for part in message.parts:
            for piece in part.content if isinstance(part, ToolResult) else (part,):
                tokens += _of(piece)
    return tokens


def _of(piece: Text | Image | Video | Thinking | ToolCall | ToolResult) -> int:
    match piece:
        case Image():
            return TOKENS_PER_IMAGE
        case Video():
            return TOKENS_PER_IMAGE + int(TOKENS_PER_SECOND * piece.seconds)
        case ToolCall():
            return tokens_of(piece.name) + tokens_of(piece.arguments)
        case Text() | Thinking():
            return tokens_of(piece.text)
    return 0


LONG = 20_000
"""Characters from which arrays count faster than a loop, their import included."""


def tokens_of(text: str) -> int:
    """The tokens of a text."""
    if text.isascii():
        latin = len(text)
    elif len(text) < LONG:
        latin = sum(character < "\u0250" for character in text)
    else:
        import numpy as np

        latin = int((np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4") < 0x250).sum())
    return int(latin / CHARACTERS_PER_TOKEN) + len(text) - latin
