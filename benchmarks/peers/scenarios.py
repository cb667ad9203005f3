"""What is measured of every peer, in the same way: a peer says how it is asked, and this file does the rest.

All walls are in calls: divided by what one call takes in the same run. Only the standard library is used, because this file is
imported in the environment of each peer.
"""

from __future__ import annotations

import http.client
import json
import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

QUESTION = "What is six times seven? Show the steps."
PATIENCE = 120.0
"""Seconds after which a request is given up."""
FAULTY = 3
"""The call that is struck, counted from 0: with eight at once one of the eight, with one after the other the fourth."""
REPEATS = 5
Figures = dict[str, Any]


class Cannot(Exception):
    """The peer has no such thing; says in a word or two what there is instead."""


@dataclass(frozen=True)
class Asked:
    """What came of one question."""

    answer: str | None
    failed: str = ""
    """How it failed, in a few words."""
    prompt_tokens: int | None = None
    """None: not reported."""
    completion_tokens: int | None = None

    @property
    def answered(self) -> bool:
        """Whether it holds an answer of the backend, and not an error in its place."""
        return re.search(r"Answer: \d+", self.answer or "") is not None


class Peer(Protocol):
    """One column of the table. Each method raises `Cannot` where the peer has no such thing."""

    name: str

    def best(self, n: int) -> Asked:
        """n answers, and a judge that picks one of them."""

    def merged(self) -> Asked:
        """Several answers, and one written from them."""

    def vote(self, n: int) -> Asked:
        """Up to n answers and the one most of them give; with early stopping where there is such a thing."""

    def many(self, n: int) -> Asked:
        """n answers and whatever makes one of them: what the faults strike."""

    def first(self, n: int) -> tuple[float, float]:
        """n answers and a judge, streamed: seconds to the first sign of life, and to the first piece of the answer."""

    def leave(self, n: int, under_way: Callable[[], None]) -> float:
        """Ask for n answers and go away once `under_way` returns; the moment of leaving on `time.monotonic`."""


class Upstream:
    """The backend, as the one who measures sees it."""

    def __init__(self, url: str, latency: float, hang: float) -> None:
        self.url, self.latency, self.hang = url, latency, hang
        self.began = 0.0

    def reset(self, **script: Any) -> None:
        """A new script and an empty log."""
        script = {"latency": self.latency, "hang": self.hang, "answers": "disagree", **script}
        post(self.url + "/reset", script)
        self.began = time.monotonic()

    def log(self) -> Figures:
        """What was asked since."""
        return post(self.url + "/log", None)[1]

    def quiet(self) -> Figures:
        """The log, once no call is open and none has come for four latencies."""
        while True:
            log = self.log()
            last = max((call["ended"] or time.monotonic() for call in log["calls"]), default=0.0)
            if not log["open"] and time.monotonic() - self.began - last > 4 * self.latency:
                return log
            time.sleep(self.latency / 2)

    def under_way(self) -> None:
        """Until a call has been open for a third of its time."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            now = time.monotonic() - self.began
            if any(
                call["outcome"] == "open" and now - call["arrived"] > self.latency / 3
                for call in self.log()["calls"]
            ):
                return
            time.sleep(self.latency / 20)

    def one_call(self) -> float:
        """Seconds of one call, as measured."""
        self.reset()
        body = {"model": "fake", "messages": [{"role": "user", "content": QUESTION}]}
        return statistics.median(
            timed(lambda: post(self.url + "/chat/completions", body))[0] for _ in range(5)
        )


def measured(peer: Peer, upstream: Upstream) -> dict[str, Figures]:
    """Every scenario of one peer."""
    call = upstream.one_call()
    upstream.reset()
    attempt(lambda: peer.many(8))  # the first question of a process pays for what is loaded late
    found = {
        "best of 3": walls(upstream, call, lambda: peer.best(3)),
        "best of 8": walls(upstream, call, lambda: peer.best(8)),
        "merge": walls(upstream, call, peer.merged),
        "first byte": first_byte(peer, upstream, call),
    }
    healthy = walls(upstream, call, lambda: peer.many(8))
    for fault in ("hang", "400", "429", "500", "cut", "html", "garbage"):
        found[fault] = struck(peer, upstream, call, fault, healthy)
    found["leave"] = left(peer, upstream)
    found["usage"] = usage(upstream, lambda: peer.best(8))
    found["usage of a vote"] = usage(upstream, lambda: peer.vote(8))
    found["agree"] = calls_used(upstream, lambda: peer.vote(16))
    return {"one call": {"seconds": round(call, 4)}, **found}


def walls(upstream: Upstream, call: float, ask: Callable[[], Asked]) -> Figures:
    """Nothing goes wrong: the wall in calls, and how many calls were in flight at most."""
    seconds, most, calls = [], 0, 0
    for _ in range(REPEATS):
        upstream.reset()
        wall, asked = timed(lambda: attempt(ask))
        if isinstance(asked, Cannot):
            return {"cannot": str(asked)}
        if not asked.answered:
            return {"failed": asked.failed or f"answers {asked.answer!r:.60}"}
        seconds.append(wall)
        log = upstream.log()
        most, calls = max(most, log["in_flight_most"]), len(log["calls"])
    return {
        "calls of wall": round(statistics.median(seconds) / call, 2),
        "at best": round(min(seconds) / call, 2),
        "in flight": most,
        "calls": calls,
    }


def first_byte(peer: Peer, upstream: Upstream, call: float) -> Figures:
    """How long nothing at all is streamed, and nothing of the answer."""
    signs, answers = [], []
    for _ in range(REPEATS):
        upstream.reset()
        seconds = attempt(lambda: peer.first(8))
        if isinstance(seconds, Cannot):
            return {"cannot": str(seconds)}
        signs.append(seconds[0] / call)
        answers.append(seconds[1] / call)
    return {
        "calls of wall": round(statistics.median(signs), 2),
        "at best": round(min(signs), 2),
        "answer": round(statistics.median(answers), 2),
        "answer at best": round(min(answers), 2),
    }


def struck(peer: Peer, upstream: Upstream, call: float, fault: str, healthy: Figures) -> Figures:
    """One call of eight goes wrong."""
    upstream.reset(faults={FAULTY: fault})
    wall, asked = timed(lambda: attempt(lambda: peer.many(8)))
    if isinstance(asked, Cannot):
        return {"cannot": str(asked)}
    log = upstream.quiet()
    failed = {} if asked.answered else {"failed": asked.failed or f"answers {asked.answer!r:.60}"}
    return {
        "answered": asked.answered,
        **failed,
        "calls of wall": round(wall / call, 2),
        "times healthy": round(wall / call / healthy["at best"], 2)
        if "at best" in healthy
        else None,
        "finished calls": sum(entry["outcome"] == "answered" for entry in log["calls"]),
        "calls": len(log["calls"]),
    }


def left(peer: Peer, upstream: Upstream) -> Figures:
    """The client goes away in the middle of the first call."""
    upstream.reset()
    gone = attempt(lambda: peer.leave(8, upstream.under_way))
    if isinstance(gone, Cannot):
        return {"cannot": str(gone)}
    gone -= upstream.began
    calls = upstream.quiet()["calls"]
    open_then = [entry for entry in calls if entry["arrived"] < gone < entry["ended"]]
    stopped = [entry["ended"] - gone for entry in open_then if entry["outcome"] == "left"]
    return {
        "in flight": len(open_then),
        "stopped": len(stopped),
        "sent after": sum(entry["arrived"] >= gone for entry in calls),
        "seconds to stop": round(max(stopped), 3) if stopped else None,
    }


def usage(upstream: Upstream, ask: Callable[[], Asked]) -> Figures:
    """What it reports, beside what the backend counted."""
    upstream.reset()
    asked = attempt(ask)
    if isinstance(asked, Cannot):
        return {"cannot": str(asked)}
    log = upstream.quiet()
    return {
        "prompt reported": asked.prompt_tokens,
        "prompt": log["prompt_tokens"],
        "completion reported": asked.completion_tokens,
        "completion": log["tokens"],
    }


def calls_used(upstream: Upstream, ask: Callable[[], Asked]) -> Figures:
    """All answers are the same: how many are asked for."""
    upstream.reset(answers="agree")
    asked = attempt(ask)
    if isinstance(asked, Cannot):
        return {"cannot": str(asked)}
    log = upstream.quiet()
    answers = sum(
        entry["choices"] for entry in log["calls"] if entry["outcome"] in ("answered", "left")
    )
    return {"answers": answers, "calls": len(log["calls"]), "answered": asked.answered}


def attempt(ask: Callable[[], Any]) -> Any:
    """What it returns, or the Cannot that it raises."""
    try:
        return ask()
    except Cannot as cannot:
        return cannot


def timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came back."""
    began = time.perf_counter()
    value = ask()
    return time.perf_counter() - began, value


def connection(url: str) -> tuple[http.client.HTTPConnection, str]:
    """A connection to where a URL points, and the path."""
    parts = urlsplit(url)
    return http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=PATIENCE
    ), parts.path


def post(url: str, body: Mapping[str, Any] | None) -> tuple[int, Any]:
    """Status and JSON of the reply; GET where there is no body."""
    line, path = connection(url)
    try:
        line.request(
            "GET" if body is None else "POST",
            path,
            body and json.dumps(body),
            {"content-type": "application/json"},
        )
        reply = line.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        line.close()


def ask_server(url: str, body: Mapping[str, Any]) -> Asked:
    """Put a question to a peer's own Chat Completions server."""
    status, reply = post(url + "/v1/chat/completions", body)
    if status != 200:
        return Asked(None, f"HTTP {status}")
    counted = reply.get("usage") or {}
    return Asked(
        reply["choices"][0]["message"]["content"],
        "",
        counted.get("prompt_tokens"),
        counted.get("completion_tokens"),
    )


def first_of_server(url: str, body: Mapping[str, Any]) -> tuple[float, float]:
    """Seconds to the first byte of a peer's own stream, and to the first text in it."""
    line, path = connection(url + "/v1/chat/completions")
    try:
        began = time.perf_counter()
        line.request(
            "POST", path, json.dumps({**body, "stream": True}), {"content-type": "application/json"}
        )
        reply = line.getresponse()
        came = reply.read(1)
        sign = time.perf_counter() - began
        while not re.search(rb'"content": *"[^"]', came) and (more := reply.readline()):
            came += more
        return sign, time.perf_counter() - began
    finally:
        line.close()


def leave_server(url: str, body: Mapping[str, Any], under_way: Callable[[], None]) -> float:
    """Ask a peer's own server and close the connection in the middle."""
    line, path = connection(url + "/v1/chat/completions")
    line.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    under_way()
    gone = time.monotonic()
    line.close()
    return gone
