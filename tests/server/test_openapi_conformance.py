"""Whatever the server's OpenAPI document allows is answered as it says.

A file of its own: the examples are generated while tests are collected, and the quick tier collects no slow files.
"""

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from musespark.server.app import make_app

schema = schemathesis.openapi.from_dict(make_app(models={}).openapi())


@schema.parametrize()
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_whatever_the_document_allows_is_answered_as_it_says(case, served):
    # A good body for a model that exists would be answered, too; most of what is generated names none.
    response = case.call(base_url=served.url)
    case.validate_response(
        response, checks=[not_a_server_error, status_code_conformance, content_type_conformance]
    )
