"""Runs as OpenTelemetry spans, by the semantic conventions for generative AI: a consumer of events like any other.

A run is a span, and below it its stages, its agents, each agent's model calls and its tools, with tokens and cost. Off unless
`OTEL_EXPORTER_OTLP_ENDPOINT` or the configuration names a collector, and while it is off nothing of OpenTelemetry is imported.
docs/telemetry.md lists what each span carries.

start.py        finds the collector and the application's tracer
recorder.py     `SpanRecorder`: events become spans
attributes.py   what a span carries, in the words of the conventions
"""

from musespark.telemetry.attributes import COST
from musespark.telemetry.recorder import SpanRecorder, with_spans
from musespark.telemetry.start import CONTENT, ENDPOINTS, start_recorder

__all__ = ["CONTENT", "COST", "ENDPOINTS", "SpanRecorder", "start_recorder", "with_spans"]
