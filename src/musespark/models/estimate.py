"""Estimates of the tokens that a backend reads and writes, before it reports them. Prompts are estimated high, for budgets."""

from __future__ import annotations

from musespark.content import Image, Request, Text, Thinking, ToolCall, ToolResult, Video

CHARACTERS_PER_TOKEN = 3.5
"""Characters of Latin text in a token of a prompt; a character of another script counts as a token."""
TOKENS_PER_IMAGE = 1100
TOKENS_PER_SECOND = 300
"""Tokens of a second of video with sound, for a model that reads it whole."""
TOKENS_PER_MESSAGE = 4
CHARACTERS_PER_WRITTEN_TOKEN = 4
"""Characters in a token of a reply, until the model reports a count."""


def estimate_written_tokens(characters: int) -> int:
    """Estimate the tokens of text of that length that a model wrote."""
    return characters // CHARACTERS_PER_WRITTEN_TOKEN


def estimate_prompt_tokens(request: Request) -> int:
    """Estimate the tokens of a request's messages, tools and schema."""
    tokens = TOKENS_PER_MESSAGE * len(request.messages) + estimate_tokens(request.schema or "")
    for tool in request.tools:
        tokens += (
            estimate_tokens(tool.name)
            + estimate_tokens(tool.description)
            + estimate_tokens(tool.parameters)
        )
    for message in request.messages:
        for part in message.parts:
            for item in part.content if isinstance(part, ToolResult) else (part,):
                tokens += _estimate_part(item)
    return tokens


def _estimate_part(part: Text | Image | Video | Thinking | ToolCall | ToolResult) -> int:
    match part:
        case Image():
            return TOKENS_PER_IMAGE
        case Video():
            return TOKENS_PER_IMAGE + int(TOKENS_PER_SECOND * part.seconds)
        case ToolCall():
            return estimate_tokens(part.name) + estimate_tokens(part.arguments)
        case Text() | Thinking():
            return estimate_tokens(part.text)
    return 0


NUMPY_FROM = 20_000
"""Characters from which NumPy counts faster than a loop, its import included."""


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text in a prompt."""
    if text.isascii():
        latin = len(text)
    elif len(text) < NUMPY_FROM:
        latin = sum(character < "\u0250" for character in text)
    else:
        import numpy as np

        latin = int((np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4") < 0x250).sum())
    return int(latin / CHARACTERS_PER_TOKEN) + len(text) - latin
