"""Processor time of a model call, by the two paths to a server of Chat Completions: pydantic-ai's, and the fast path; and of the
same request and reply through an HTTP client alone: aiohttp, which the fast path uses, and httpx2, which pydantic-ai uses.

    python benchmarks/model_call.py                                        # a fake server that writes as fast as it can
    python benchmarks/model_call.py --url http://127.0.0.1:8080/v1         # a real one, such as llama.cpp's

The paths take turns, so that other work on the machine affects both alike. Processor time is this process's own, per call, the
median of the rounds; quote ratios from a machine that is busy..
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from load.processes import backend, running

from musespark.content import Request
from musespark.models.model import TextDelta
from musespark.models.providers.adapter.chat_fastpath import build_body, post
from musespark.models.providers.adapter.connections import make_client, make_session
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import Compatible


class ThroughPydanticAI(Compatible):
    """The same servers without the fast path."""

    has_fast_path = False


PATHS = {"pydantic-ai": ThroughPydanticAI, "fast path": Compatible}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="base URL of a real server")
    parser.add_argument(
        "--model",
        action="append",
        help="default: quick and hundred, which are replies of 3 and 100 chunks",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--calls", type=int, default=10, help="calls in a round, one after the other"
    )
    options = parser.parse_args()
    print(
        "| model | path | processor time per call | of the fast path's | deltas per call |\n|---|---|---|---|---|"
    )
    with _url(options.url) as url:
        for model in options.model or (["any"] if options.url else ["quick", "hundred"]):
            found = asyncio.run(measure(url, model, options.rounds, options.calls))
            least = found["fast path"][0]
            for path, (seconds, deltas) in found.items():
                print(
                    f"| {model} | {path} | {seconds * 1e3:.2f} ms | {seconds / least:.1f} times | {deltas:.0f} |",
                    flush=True,
                )


async def measure(url: str, model: str, rounds: int, calls: int) -> dict[str, tuple[float, float]]:
    """Seconds of processor time and deltas of text (reads, for a client alone) per call, by path."""
    request = Request.of("Count from one to ten in words.", max_tokens=40, temperature=0.5)
    remotes = {
        path: RemoteModel(kind(), model, RemoteOptions(base_url=url))
        for path, kind in PATHS.items()
    }
    body = build_body(model, request, {})
    seconds: dict[str, list[float]] = {}
    deltas: dict[str, int] = {}

    async def take(path: str, call: Callable[[], Awaitable[int]]) -> None:
        await call()  # imports and connects
        began = time.process_time()
        deltas[path] = sum([await call() for _ in range(calls)])
        seconds.setdefault(path, []).append((time.process_time() - began) / calls)

    async with make_session(60) as session, make_client(url, 60) as client:
        for _ in range(rounds):
            for path, remote in remotes.items():
                async with remote.open():
                    await take(path, partial(_count_deltas, remote, request))
            await take("aiohttp alone", partial(_read_aiohttp, session, url, body))
            await take("httpx2 alone", partial(_read_httpx, client, url, body))
    return {path: (statistics.median(each), deltas[path] / calls) for path, each in seconds.items()}


async def _count_deltas(model: RemoteModel, request: Request) -> int:
    return sum([isinstance(delta, TextDelta) async for delta in model.stream(request)])


async def _read_aiohttp(session: Any, url: str, body: Any) -> int:
    headers = {"content-type": "application/json"}
    async with await post(
        session, url + "/chat/completions", json.dumps(body).encode(), headers
    ) as response:
        return sum([1 async for _ in response.content.iter_any()])


async def _read_httpx(client: Any, url: str, body: Any) -> int:
    async with client.stream("POST", url + "/chat/completions", json=body) as response:
        return sum([1 async for _ in response.aiter_bytes()])


@contextmanager
def _url(url: str | None) -> Iterator[str]:
    """The address of the real server, or of a fake one that is started."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder, running(*backend(Path(folder))) as process:
        yield f"http://127.0.0.1:{process.port}/v1"


if __name__ == "__main__":
    main()
