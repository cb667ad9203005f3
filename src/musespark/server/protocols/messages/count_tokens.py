"""Route of Anthropic's token count: an estimate, for no tokenizer is asked."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest

from musespark.models.estimate import estimate_prompt_tokens
from musespark.server.http.body import parse_body, read_body
from musespark.server.openapi import ERRORS
from musespark.server.protocols.messages.body import MessagesCountBody
from musespark.server.protocols.messages.dialect import Messages, request_to_count
from musespark.server.state import ServerState

PATH = "/v1/messages/count_tokens"


def add_routes(app: FastAPI, server: ServerState) -> None:
    """Add the route to the application."""
    # The types it refers to are those of a message's body, which are in the document already.
    schema = MessagesCountBody.model_json_schema(
        ref_template=f"#/components/schemas/{Messages.name}-{{model}}"
    )
    schema.pop("$defs", None)

    @app.post(
        PATH,
        responses=ERRORS,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
        },
    )
    async def count_tokens(http: HttpRequest) -> dict[str, int]:
        """Estimate the tokens of a message's request, rather too high than too low."""
        caller = await server.authenticate(http)
        body = parse_body(MessagesCountBody, await read_body(http))
        caller.scope.require_model(server.models, body.model)
        name = server.models.split_mode(body.model)[1]
        if name:
            await server.models.named(name)
        return {"input_tokens": estimate_prompt_tokens(request_to_count(body))}
