"""Start of a recorder: the collector that is named, and the tracer that exports to it."""

from __future__ import annotations

import logging
import os
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from musespark.telemetry.recorder import SpanRecorder

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Environment variables that name the collector, as OpenTelemetry defines them."""
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""Environment variable that lets questions, answers, and the arguments and results of tools into spans."""
_log = logging.getLogger(__name__)


def start_recorder(endpoint: str | None = None) -> SpanRecorder | None:
    """A recorder for one run; None while telemetry is off. endpoint: base URL of the collector, if the environment names none."""
    named = any(os.environ.get(variable) for variable in ENDPOINTS)
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or not (named or endpoint):
        return None
    tracer = _tracer(None if named else endpoint)
    return (
        SpanRecorder(tracer, content=os.environ.get(CONTENT, "").lower() == "true")
        if tracer is not None
        else None
    )


@cache
def _tracer(endpoint: str | None) -> Tracer | None:
    """The application's own tracer if it has set OpenTelemetry up, else one that exports; None without the extra."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        _log.warning(
            'A collector is named, and OpenTelemetry is not installed; run: pip install "musespark[otel]".'
        )
        return None
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = _exporting(endpoint)
    tracer: Tracer = provider.get_tracer("musespark", version("musespark"))
    return tracer


def _exporting(endpoint: str | None) -> Any:
    """A provider of tracers whose spans go to the collector, in the background."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    service = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "musespark"}
    provider = TracerProvider(resource=Resource.create(service))
    exporter = (
        OTLPSpanExporter()
        if endpoint is None
        else OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
