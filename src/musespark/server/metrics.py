"""What a server counts, in Prometheus's text format: no question, no name of a person, no key in any label."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from musespark.events import AnswerDelta, Event
from musespark.store.kept import How, Spending

if TYPE_CHECKING:
    from starlette.types import Message, Send

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("muse_requests", "Questions that came, by what was answered.", ("protocol", "status"),
                                 registry=registry)
        self._runs = Counter("muse_runs", "Runs that ended, by how.", ("mode", "outcome"), registry=registry)
        self._tokens = Counter("muse_tokens", "Tokens of all agents, cancelled calls too.", ("mode",), registry=registry)
        self._usd = Counter("muse_usd", "Dollars that models cost.", ("mode",), registry=registry)
        self._calls = Counter("muse_model_calls", "Calls of models.", ("mode",), registry=registry)
        self._running = Gauge("muse_running", "Runs under way.", registry=registry)
        self._seconds = Histogram("muse_run_seconds", "From a run's beginning to its end.", ("mode",), buckets=_SECONDS,
                                  registry=registry)
        self._first = Histogram("muse_first_token_seconds", "From a run's beginning to the first piece of its answer.", ("mode",),
                                buckets=_SECONDS, registry=registry)

    def page(self) -> Response:
        """All of it, as it is now."""
        return Response(generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_LATEST})

    def answered(self, protocol: str, send: Send) -> Send:
        """The same way to the client, the status of what goes there counted."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.labels(protocol, str(message["status"])).inc()
            await send(message)

        return counting

    def watch(self, mode: str) -> RunMetrics:
        """One run, from its beginning."""
        self._running.inc()
        return RunMetrics(self, mode)

    def _began_to_answer(self, mode: str, seconds: float) -> None:
        self._first.labels(mode).observe(seconds)

    def _ended(self, mode: str, how: How, seconds: float, spent: Spending) -> None:
        self._running.dec()
        self._runs.labels(mode, how).inc()
        self._seconds.labels(mode).observe(seconds)
        self._tokens.labels(mode).inc(spent.tokens)
        self._usd.labels(mode).inc(spent.usd)
        self._calls.labels(mode).inc(spent.calls)


class RunMetrics:
    """Counts what happens in one run."""

    def __init__(self, metrics: Metrics, mode: str) -> None:
        self._metrics, self._mode = metrics, mode
        self._began = time.monotonic()
        self._answers = False

    def happened(self, events: Iterable[Event]) -> None:
        """The next events."""
        if not self._answers and any(isinstance(event, AnswerDelta) for event in events):
            self._answers = True
            self._metrics._began_to_answer(self._mode, time.monotonic() - self._began)

    def ended(self, how: How, spent: Spending) -> None:
        """The run is over."""
        self._metrics._ended(self._mode, how, time.monotonic() - self._began, spent)
