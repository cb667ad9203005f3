"""Route of OpenAI's embeddings, which are passed on: no model of this process embeds texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import ConfigDict, Field
from starlette.requests import Request as HttpRequest

from musespark.budget import Budget, Cost
from musespark.errors import BeyondModel, UnknownModel
from musespark.models.estimate import estimate_tokens
from musespark.models.providers.adapter.embeddings import embed
from musespark.models.providers.adapter.remote import RemoteModel
from musespark.models.providers.adapter.token_counts import UNBELIEVABLE, read_count
from musespark.server.http.body import Name, StrictModel, parse_body, read_body
from musespark.server.openapi import ERRORS
from musespark.server.resolve.model_catalog import require_prices
from musespark.server.state import ServerState

PATH = "/v1/embeddings"
MAX_INPUTS = 4096


class EmbeddingsBody(StrictModel):
    """The body of POST /v1/embeddings. Fields that are not known are passed on."""

    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)

    model: Name
    input: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=MAX_INPUTS)]
        | Annotated[list[int], Field(min_length=1)]
        | Annotated[list[list[int]], Field(min_length=1, max_length=MAX_INPUTS)]
    )

    def texts(self) -> Iterator[str | list[int]]:
        """Yield the texts, each as a string or as tokens."""
        if isinstance(self.input, str):
            yield self.input
        elif all(isinstance(each, int) for each in self.input):
            yield self.input  # type: ignore[misc]
        else:
            yield from self.input  # type: ignore[misc]


def add_routes(app: FastAPI, server: ServerState) -> None:
    """Add the route to the application."""
    schema = EmbeddingsBody.model_json_schema()

    @app.post(
        PATH,
        responses=ERRORS,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
        },
    )
    async def create_embeddings(http: HttpRequest) -> dict[str, Any]:
        """Pass a request for embeddings on to the model's server, and its reply back."""
        caller = await server.authenticate(http)
        server.require_capacity(caller)
        body = parse_body(EmbeddingsBody, await read_body(http))
        if not caller.scope.allows_model(body.model):
            raise UnknownModel(body.model[:80], caller.scope.listed(server.models))
        model = await server.models.named(body.model)
        if not isinstance(model, RemoteModel):
            raise BeyondModel(
                body.model, "embed texts", "name one of a server that has /v1/embeddings"
            )
        if caller.pays:
            require_prices([model])
        tokens = sum(
            estimate_tokens(text) if isinstance(text, str) else len(text) for text in body.texts()
        )
        price = model.price.prompt if model.price else 0.0
        allowance = caller.budget if caller.admit is None else await caller.admit()
        budget = allowance or Budget()
        with await budget.acquire(Cost(tokens=tokens, usd=tokens * price, calls=1)) as held:
            found = await embed(model, body.model_dump(exclude_none=True))
            used = _tokens_used(found, tokens)
            held.settle(Cost(tokens=used, usd=used * price, calls=1))
        return {**found, "model": body.model}


def _tokens_used(reply: dict[str, Any], estimate: int) -> int:
    """Return the tokens that a reply says were used; the estimate if it says none, or more than there can be."""
    usage = reply.get("usage")
    used = usage.get("total_tokens") if isinstance(usage, dict) else None
    return estimate if used is None or (read := read_count(used)) == UNBELIEVABLE else read
