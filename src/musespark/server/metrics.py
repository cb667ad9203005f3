"""Prometheus metrics of one server. No label holds a question, a person's name or a key."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from musespark.errors import StoreUnusable
from musespark.events import AnswerDelta, Event
from musespark.store.database.faults import CLIENT_SENTENCES
from musespark.store.runs.record import RunCost, RunStatus

if TYPE_CHECKING:
    from starlette.types import Message, Send

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0)


class Metrics:
    """Counters, gauges and histograms of one server, in a registry of their own."""

    def __init__(self, store: StoreHealth | None = None) -> None:
        """store: the store whose faults are shown."""
        self._registry = registry = CollectorRegistry()
        if store is not None:
            registry.register(_StoreCollector(store))
        self._requests = Counter(
            "muse_requests",
            "Questions received, by response status.",
            ("protocol", "status"),
            registry=registry,
        )
        self._runs = Counter(
            "muse_runs", "Finished runs, by outcome.", ("mode", "outcome"), registry=registry
        )
        self._tokens = Counter(
            "muse_tokens",
            "Tokens of all agents, including cancelled calls.",
            ("mode",),
            registry=registry,
        )
        self._usd = Counter(
            "muse_usd", "Cost of model calls in dollars.", ("mode",), registry=registry
        )
        self._calls = Counter("muse_model_calls", "Model calls.", ("mode",), registry=registry)
        self._running = Gauge("muse_running", "Runs in progress.", registry=registry)
        self._seconds = Histogram(
            "muse_run_seconds", "Duration of a run.", ("mode",), buckets=_SECONDS, registry=registry
        )
        self._first = Histogram(
            "muse_first_token_seconds",
            "Time from the start of a run to the first piece of its answer.",
            ("mode",),
            buckets=_SECONDS,
            registry=registry,
        )

    def render(self) -> Response:
        """Return all metrics in Prometheus's text format."""
        return Response(
            generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_LATEST}
        )

    def count_status(self, protocol: str, send: Send) -> Send:
        """Wrap an ASGI `send` so that the response's status is counted."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(protocol, str(message["status"])).inc()
            await send(message)

        return counting

    def start_run(self, mode: str) -> RunMetrics:
        """Count a run as started and return its recorder."""
        self._running.inc()
        return RunMetrics(self, mode)

    def _record_first_token(self, mode: str, seconds: float) -> None:
        self._first.labels(mode).observe(seconds)

    def _record_end(self, mode: str, status: RunStatus, seconds: float, cost: RunCost) -> None:
        self._running.dec()
        self._runs.labels(mode, status).inc()
        self._seconds.labels(mode).observe(seconds)
        self._tokens.labels(mode).inc(cost.tokens)
        self._usd.labels(mode).inc(cost.usd)
        self._calls.labels(mode).inc(cost.calls)


class StoreHealth(Protocol):
    """The part of a store that the metrics tell of."""

    @property
    def fault(self) -> StoreUnusable | None:
        """Its fault now; None without one."""

    @property
    def failures(self) -> Mapping[str, int]:
        """Numbers of faults so far, by kind."""


class _StoreCollector(Collector):
    """Metrics of the store, read when they are asked for."""

    def __init__(self, store: StoreHealth) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        is_up = float(self._store.fault is None)
        yield GaugeMetricFamily("muse_store_up", "1 if the store takes writes, else 0.", is_up)
        failures = CounterMetricFamily(
            "muse_store_failures", "Faults of the store and writes that failed.", labels=("fault",)
        )
        for fault in CLIENT_SENTENCES:
            failures.add_metric((fault,), self._store.failures.get(fault, 0))
        yield failures


class RunMetrics:
    """Recorder for one run."""

    def __init__(self, metrics: Metrics, mode: str) -> None:
        self._metrics, self._mode = metrics, mode
        self._started = time.monotonic()
        self._has_answer = False

    def observe(self, events: Iterable[Event]) -> None:
        """Take in the next events."""
        if not self._has_answer and any(isinstance(event, AnswerDelta) for event in events):
            self._has_answer = True
            self._metrics._record_first_token(self._mode, time.monotonic() - self._started)

    def finish(self, status: RunStatus, cost: RunCost) -> None:
        """Record the end of the run."""
        self._metrics._record_end(self._mode, status, time.monotonic() - self._started, cost)
