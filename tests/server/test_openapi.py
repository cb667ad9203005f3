"""The server's own OpenAPI document: what it promises is what happens."""

import httpx
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from musespark.server.app import DIALECTS, make_app
from musespark.server.errors import STATUSES

schema = schemathesis.openapi.from_dict(make_app(models={}).openapi())


@schema.parametrize()
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_whatever_the_document_allows_is_answered_as_it_says(case, served):
    # A good body for a model that exists would be answered, too; most of what is generated names none.
    response = case.call(base_url=served.url)
    case.validate_response(
        response, checks=[not_a_server_error, status_code_conformance, content_type_conformance]
    )


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
