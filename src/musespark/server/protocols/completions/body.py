"""The request body of Completions. Fields with a comment have no effect, as unknown ones; the dialect rejects unsupported ones."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from musespark.server.http.body import Name, OpenModel
from musespark.server.protocols.forms import WholeNumber
from musespark.server.protocols.sampling import SamplingFields
from musespark.server.resolve.options import TeamOptions


class CompletionsStreamOptions(OpenModel):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None  # chunks are not padded


class CompletionsBody(SamplingFields):
    """The body of POST /v1/completions."""

    model: Name
    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]
    muse: TeamOptions | None = None
    stream: bool | None = None
    stream_options: CompletionsStreamOptions | None = None
    max_tokens: WholeNumber | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: WholeNumber | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    echo: bool | None = None
    store: bool | None = None
    # Accepted without effect: the user's identity.
    user: Any = None
    # Rejected, except for the value that is the default here.
    suffix: str | None = None
    n: int | None = None
    best_of: int | None = None
    logprobs: int | None = None
