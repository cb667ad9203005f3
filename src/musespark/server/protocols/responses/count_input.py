"""Route of OpenAI's count of input tokens: an estimate, as for Messages."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest

from musespark.models.estimate import estimate_prompt_tokens
from musespark.server.http.body import parse_body, read_body
from musespark.server.openapi import ERRORS
from musespark.server.protocols.responses.body import ResponsesBody
from musespark.server.protocols.responses.dialect import Responses
from musespark.server.request_context import gather_context
from musespark.server.state import ServerState

PATH = "/v1/responses/input_tokens"


def add_routes(app: FastAPI, server: ServerState) -> None:
    """Add the route to the application."""
    dialect = Responses()
    body_schema = {"$ref": f"#/components/schemas/{Responses.name}-body"}

    @app.post(
        PATH,
        responses=ERRORS,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": body_schema}},
            }
        },
    )
    async def count_input(http: HttpRequest) -> dict[str, str | int]:
        """Estimate the tokens of a response's input, rather too high than too low."""
        caller = await server.authenticate(http)
        body = parse_body(ResponsesBody, await read_body(http))
        caller.scope.require_model(server.models, body.model)
        name = server.models.split_mode(body.model)[1]
        if name:
            await server.models.named(name)
        body, context = await gather_context(server, dialect, body, caller=caller.name)
        request = dialect.parse(body, context).request
        return {
            "object": "response.input_tokens",
            "input_tokens": estimate_prompt_tokens(request),
        }
