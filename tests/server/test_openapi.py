"""The server's own OpenAPI document: what it promises is what happens."""

import httpx

from musespark.server.app import DIALECTS, make_app
from musespark.server.errors import STATUSES


def test_the_document_has_every_page_and_every_status(served):
    document = httpx.get(f"{served.url}/openapi.json").json()
    assert {dialect.path for dialect in DIALECTS} | {
        "/health",
        "/v1/models",
        "/v1/runs",
        "/v1/runs/{id}",
    } <= set(document["paths"])
    for page in document["paths"].values():
        for operation in page.values():
            assert {str(status) for status in STATUSES} <= set(operation["responses"])
    assert "agents" in document["components"]["schemas"]["chat-TeamOptions"]["properties"]


def test_every_endpoint_is_registered_once():
    app = make_app(models={})
    found = [
        (route.path, method)
        for route in app.routes
        for method in getattr(route, "methods", ["WEBSOCKET"])
    ]
    assert len(found) == len(set(found)) and {(dialect.path, "POST") for dialect in DIALECTS} < set(
        found
    )
