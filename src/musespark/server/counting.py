"""About how many tokens a conversation has, as Anthropic's Messages asks: an estimate, for nobody counts before a model does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest

from musespark.models.estimate import estimate_prompt_tokens
from musespark.server.body import bytes_of, parsed
from musespark.server.messages import Messages, counted
from musespark.server.messages_body import CountBody
from musespark.server.models import Models
from musespark.server.openapi import ERRORS
from musespark.server.seating import mode_and_name

PATH = "/v1/messages/count_tokens"


def add_routes(app: FastAPI, models: Models, callers: Callable[[HttpRequest], Awaitable[Any]]) -> None:
    """Add the page to the application."""
    # Its parts are those of a message's body, which the document has.
    schema = CountBody.model_json_schema(ref_template=f"#/components/schemas/{Messages.name}-{{model}}")
    schema.pop("$defs", None)

    @app.post(PATH, responses=ERRORS,
              openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}})
    async def count_tokens(http: HttpRequest) -> dict[str, int]:
        """About how many tokens a message's request has, rather too many than too few."""
        await callers(http)
        body = parsed(CountBody, await bytes_of(http))
        name = mode_and_name(body.model)[1]
        if name:
            await models.named(name)
        return {"input_tokens": estimate_prompt_tokens(counted(body))}
