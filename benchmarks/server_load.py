"""The endpoint under load, beside LiteLLM's proxy: the same backend, the same client, the same machine, one run.

    python benchmarks/server_load.py                      # installs LiteLLM in a temporary directory, then measures everything
    python benchmarks/server_load.py --litellm PYTHON     # with an environment that has it
    python benchmarks/server_load.py --seconds 10         # the first two figures alone, 10 seconds each; writes no file
    python benchmarks/server_load.py --quick              # small numbers, to see that it works; writes no file

It takes about six minutes, and writes benchmarks/server_load.md. For Linux: processor time and memory are read from /proc.

The backend is a fake model's server that answers at once (load/backend.py), in a process of its own; `muse serve` and LiteLLM's
proxy are one process each, with their defaults. The client (load/client.py) sends bytes that were made in advance and checks each
reply; it shares the two cores with everybody. Every server is warmed up before it is measured.

- **added**: the median of one request after the other through a server, less the median of the same directly to the backend.
  In process: the median of a request to `muse serve` over a model that plays the same reply within its process, less the median
  of reading that reply from that model directly.
- **requests a second**: 64 connections, each with one request after the other; the median of three rounds.
- **memory**: what is resident (RSS), read every 2,000 of 20,000 requests.
- **a stream of 100 chunks**: processor time of the server's process for each reply, all threads, as a part of the processor time
  that OpenAI's own client needs to read the same stream directly from the backend; medians of ten rounds. Together: the backend
  sends all chunks at once, and `muse serve` hands on in few chunks what has come together. Paced: a chunk every 10 milliseconds,
  so that every process is woken for each; the backend's own processor time says what it costs just to send them.
- **500 streams**: each from a backend that sends a piece every half second. All must be open and must have gone on 4 seconds later.
- **first sign of life**: a stream from a model that is silent for a second, until OpenAI's own client has the first chunk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from load.client import answered, latencies, load, load_for, request
from load.fakes import Played
from load.processes import Process, backend, litellm, litellm_installed, muse, running, version
from load.streams import KEPT, NOT_KEPT, cost_of_streams, first_signs, held_open
from load.tables import Brief, Results, short_form, written

from musespark.content import Request

RESULTS = Path(__file__).with_suffix(".md")


def main() -> None:
    """Measure, print, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--litellm", type=Path, metavar="PYTHON", help="of an environment with litellm[proxy]"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="measure only latency and throughput, S seconds each",
    )
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder)
        python = (
            options.litellm.absolute() if options.litellm else litellm_installed(place / "litellm")
        )
        upstream = stack.enter_context(running(*backend(place)))
        versions = {"litellm": version(python, "litellm"), "Python": sys.version.split()[0]}
        servers = {
            "muse": stack.enter_context(
                running(*muse("muse", place, upstream.port, "--store", str(place / "runs.db")))
            ),
            "litellm": stack.enter_context(running(*litellm(python, place, upstream.port))),
        }
        if options.seconds:
            print(
                short_form(
                    asyncio.run(measure_briefly(upstream, servers, options.seconds)), versions, busy
                )
            )
            return
        servers["forgetful"] = stack.enter_context(
            running(*muse("forgetful", place, upstream.port, "--store", "memory"))
        )
        results = asyncio.run(measured(upstream, servers, 20 if options.quick else 1))
    results.versions = versions
    results.busy = busy
    results.when = datetime.now(UTC).date().isoformat()
    text = written(results)
    print(text)
    if not options.quick:
        RESULTS.write_text(text)


async def measure_briefly(
    upstream: Process, servers: dict[str, Process], seconds: float
) -> list[Brief]:
    """Latency, throughput and processor time of each way to the same reply, that long each."""
    muse, peer = servers["muse"], servers["litellm"]
    ways = [
        ("direct", upstream, "quick"),
        ("muse serve", muse, "quick"),
        ("muse serve, through pydantic-ai", muse, "pydantic-quick"),
        ("LiteLLM's proxy", peer, "quick"),
    ]
    for _, server, model in ways:
        await load(server.port, request(model), 50, 8, answered)
    found: list[Brief] = []
    for name, server, model in ways:
        told(name)
        each = await latencies(server.port, request(model), 1_000_000, answered, seconds)
        cpu, began = server.cpu, time.perf_counter()
        count = await load_for(server.port, request(model), seconds, 64, answered)
        rate = count / (time.perf_counter() - began)
        found.append(
            Brief(name, statistics.median(each) * 1e3, rate, (server.cpu - cpu) / count * 1e3)
        )
    return found


async def measured(upstream: Process, servers: dict[str, Process], less: int) -> Results:
    """Everything. less: the numbers are divided by that."""
    found = Results()
    muse = servers["muse"]
    for server in servers.values():
        await load(server.port, request("quick"), 300, 8, answered)
    await load(muse.port, request("fake-quick"), 300, 8, answered)
    await measure_latency(found, upstream, servers, 500 // less)
    await measure_rates(found, upstream, servers, less)
    found.memory = {name: server.memory for name, server in servers.items()}
    await measure_streams(found, upstream, servers, less)

    told("first sign of life")
    found.signs = {
        name: await first_signs(muse, model, 50 // less)
        for name, model in (("over HTTP", "silent"), ("in process", "fake-silent"))
    }

    told("20,000 requests")
    for name in ("muse", "forgetful"):
        server = servers[name]
        found.growth[name] = [server.memory]
        for _ in range(10):
            await load(server.port, request("quick"), 2000 // less, 64, answered)
            found.growth[name].append(server.memory)

    told("500 streams")
    found.held = await held_open(muse, "endless", 500, 4.0)
    return found


async def measure_latency(
    found: Results, upstream: Process, servers: dict[str, Process], count: int
) -> None:
    """Seconds of each request, one after the other."""
    told("one after the other")
    for name, server, model in (
        ("direct", upstream, "quick"),
        ("muse", servers["muse"], "quick"),
        ("litellm", servers["litellm"], "quick"),
        ("muse, in process", servers["muse"], "fake-quick"),
    ):
        found.seconds[name] = await latencies(server.port, request(model), count, answered)
    found.seconds["in process"] = await in_process(count)


async def measure_rates(
    found: Results, upstream: Process, servers: dict[str, Process], less: int
) -> None:
    """Requests a second, 64 at once: the median of three rounds."""
    told("64 at once")
    for name, server, model, count in (
        ("direct", upstream, "quick", 20_000),
        ("litellm", servers["litellm"], "quick", 800),
        ("muse", servers["muse"], "quick", 4000),
        ("forgetful", servers["forgetful"], "quick", 4000),
        ("muse, in process", servers["muse"], "fake-quick", 4000),
    ):
        rounds = [
            count // less / await load(server.port, request(model), count // less, 64, answered)
            for _ in range(3)
        ]
        found.rates[name] = statistics.median(rounds)


async def measure_streams(
    found: Results, upstream: Process, servers: dict[str, Process], less: int
) -> None:
    """Processor time of streams of 100 chunks, together and one by one."""
    told("100 chunks")
    muse = servers["muse"]
    for name, server, extra in (
        ("direct", upstream, KEPT),
        ("muse", muse, KEPT),
        ("not kept", muse, NOT_KEPT),
        ("litellm", servers["litellm"], KEPT),
    ):
        found.together[name] = await cost_of_streams(server, "hundred", max(1, 20 // less), extra)
        found.paced[name] = await cost_of_streams(server, "hundred-paced", max(1, 3 // less), extra)
    for name, extra in (("in process", KEPT), ("in process, not kept", NOT_KEPT)):
        found.together[name] = await cost_of_streams(
            muse, "fake-hundred", max(1, 20 // less), extra
        )


async def in_process(count: int) -> list[float]:
    """Seconds of each of so many replies, read directly from the model within this process."""
    model, asked = Played("quick"), Request.of("What is 6 * 7?")
    seconds: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        async for _ in model.stream(asked):
            pass
        seconds.append(time.perf_counter() - began)
    return seconds


def told(what: str) -> None:
    """Say what is under way."""
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
