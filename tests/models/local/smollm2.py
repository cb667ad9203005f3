"""Options of the real model under test, and sums over its replies."""

from musespark.models.local.chat_body import build_chat_body, prompt_texts
from musespark.models.local.gguf_model import GGUFOptions
from musespark.models.model import TextDelta, UsageDelta

SMALL = GGUFOptions(threads=1, abilities={"context": 512})
"""Options that load quickly: a small cache."""


def counted(running, name) -> float:
    """A count of llama.cpp's own."""
    lines = running._server.handle_metrics().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"llamacpp:{name} ")))


async def all_of(model, request):
    return [delta async for delta in model.stream(request)]


def said(deltas) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def used(deltas):
    return [delta.usage for delta in deltas if isinstance(delta, UsageDelta)][-1]


async def chunks_of(running, request):
    body = build_chat_body(request, {})
    return [chunk async for chunk in running.stream(body, prompt_texts(body))]
