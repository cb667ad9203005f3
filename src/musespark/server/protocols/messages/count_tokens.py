"""About how many tokens a conversation has, as Anthropic's Messages asks: an estimate, for nobody counts before a model does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest

from musespark.models.estimate import prompt_tokens
from musespark.server.http.body import parsed, read_body
from musespark.server.openapi import ERRORS
from musespark.server.protocols.messages.body import MessagesCountBody
from musespark.server.protocols.messages.dialect import Messages, counted
from musespark.server.resolve.model_catalog import ModelCatalog
from musespark.server.resolve.resolve import split_mode

PATH = "/v1/messages/count_tokens"


def add_routes(app: FastAPI, models: ModelCatalog, callers: Callable[[HttpRequest], Awaitable[Any]]) -> None:
    """Add the page to the application."""
    # Its parts are those of a message's body, which the document has.
    schema = MessagesCountBody.model_json_schema(ref_template=f"#/components/schemas/{Messages.name}-{{model}}")
    schema.pop("$defs", None)

    @app.post(PATH, responses=ERRORS,
              openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}})
    async def count_tokens(http: HttpRequest) -> dict[str, int]:
        """About how many tokens a message's request has, rather too many than too few."""
        await callers(http)
        body = parsed(MessagesCountBody, await read_body(http))
        name = split_mode(body.model)[1]
        if name:
            await models.named(name)
        return {"input_tokens": prompt_tokens(counted(body))}
