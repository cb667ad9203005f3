"""Processor time of a model call, by the two paths to a server of Chat Completions: pydantic-ai's, and the fast path.

    python benchmarks/model_call.py                                        # a fake server that writes as fast as it can
    python benchmarks/model_call.py --url http://127.0.0.1:8080/v1         # a real one, such as llama.cpp's

The two paths take turns, so that other work on the machine affects both alike. Processor time is this process's own, per call, the
median of the rounds; quote ratios from a machine that is busy..
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from load.processes import backend, running

from musespark.content import Request
from musespark.models.model import TextDelta
from musespark.models.providers.adapter.remote import RemoteModel, RemoteOptions
from musespark.models.providers.compatible import Compatible


class ThroughPydanticAI(Compatible):
    """The same servers without the fast path."""

    has_fast_path = False


PATHS = {"pydantic-ai": ThroughPydanticAI, "fast path": Compatible}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="base URL of a real server")
    parser.add_argument("--model", action="append", help="default: quick and hundred, which are replies of 3 and 100 chunks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=10, help="calls in a round, one after the other")
    options = parser.parse_args()
    print("| model | path | processor time per call | ratio | deltas per call |\n|---|---|---|---|---|")
    with _url(options.url) as url:
        for model in options.model or (["any"] if options.url else ["quick", "hundred"]):
            found = asyncio.run(measure(url, model, options.rounds, options.calls))
            least = min(seconds for seconds, _ in found.values())
            for path, (seconds, deltas) in found.items():
                print(f"| {model} | {path} | {seconds * 1e3:.2f} ms | {seconds / least:.1f} | {deltas:.0f} |", flush=True)


async def measure(url: str, model: str, rounds: int, calls: int) -> dict[str, tuple[float, float]]:
    """Seconds of processor time and deltas of text per call, by path."""
    models = {path: RemoteModel(kind(), model, RemoteOptions(base_url=url)) for path, kind in PATHS.items()}
    seconds: dict[str, list[float]] = {path: [] for path in PATHS}
    deltas = dict.fromkeys(PATHS, 0)
    request = Request.of("Count from one to ten in words.", max_tokens=40, temperature=0.5)
    for number in range(rounds + 1):
        for path, remote in models.items():
            async with remote.open():
                began = time.process_time()
                for _ in range(calls):
                    async for delta in remote.stream(request):
                        deltas[path] += isinstance(delta, TextDelta) and number > 0
                if number:  # the first round imports and connects
                    seconds[path].append((time.process_time() - began) / calls)
    return {path: (statistics.median(seconds[path]), deltas[path] / rounds / calls) for path in PATHS}


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
