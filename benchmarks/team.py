"""Wall time of a team, in calls: a backend that answers after a fixed latency, and everything else is ours. Then whom it cuts off
where replies have real lengths (`lengths.py`).

    python benchmarks/team.py                  stages, faults, cancellation, log-normal lengths: some minutes
    python benchmarks/team.py --data DIR       also the lengths and answers of recorded models (else MUSE_RECORDED)
    python benchmarks/team.py --plot DIR       also draws right answers against deadlines
    python benchmarks/team.py --soak           also 64 teams at once and 5,000 runs: processor time a call, memory
    python benchmarks/team.py --json

Every wall time is a ratio to one call's latency in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import resource
import statistics
import time
from collections.abc import Iterable
from contextlib import aclosing

import lengths

from musespark.budget import Budget, Limits
from musespark.content import Request
from musespark.errors import MuseError
from musespark.models.fake import Crash, Fail, FakeModel, Garbage, Hang, Step, Wait
from musespark.models.model import Abilities, Finish, TextDelta, UsageDelta
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

LATENCY = 0.3
ABLE = Abilities(conversation=True, tools=True, context=100_000)
QUESTION = Request.of("Which of them is it?")
Row = tuple[str, str, str, bool]


def reply(text: str, latency: float = LATENCY) -> list[Step]:
    """A whole reply after a while."""
    return [
        Wait(latency),
        TextDelta(text),
        UsageDelta(Usage(tokens=20, critical_path=20)),
        Finish(),
    ]


def backend(*odd: Iterable[Step], latency: float = LATENCY, agree: bool = False) -> FakeModel:
    """A model that answers every explorer (differently, unless they are to agree), judge and merger; first the odd scripts."""
    scripts = list(odd)

    def play(request: Request, number: int) -> Iterable[Step]:
        if number < len(scripts):
            return scripts[number]
        if request.stage == "judge":
            said = request.messages[-1].text
            better = "A" if said.index('id="B"') > said.find("Answer: 1\n") > 0 else "B"
            return reply(json.dumps({"reason": "It is.", "better": better}), latency)
        if request.stage == "merge":
            words = [TextDelta(f"word{n} ") for n in range(10)]
            return [Wait(latency), *words, UsageDelta(Usage(tokens=10, critical_path=10)), Finish()]
        return reply("Answer: 4" if agree else f"Answer: {number}", latency)

    return FakeModel(play, abilities=ABLE)


async def timed(
    team: Team, deadline: float | None = None
) -> tuple[float, list, MuseError | None, float | None]:
    """Wall seconds of a run, its events, how it failed, and the seconds until its first piece of answer."""
    events, error, first = [], None, None
    began = time.perf_counter()
    try:
        async with aclosing(run(team, QUESTION, Budget(Limits(seconds=deadline)))) as stream:
            async for event in stream:
                if event.kind == "answer_delta" and first is None:
                    first = time.perf_counter() - began
                events.append(event)
    except MuseError as failed:
        error = failed
    return time.perf_counter() - began, events, error, first


def team(model: FakeModel, **options: object) -> Team:
    return Team(**{"explorers": (model,), "agents": 8, "first_wave": 8, "rounds": 0, **options})  # type: ignore[arg-type]


async def one_call() -> float:
    """What a call alone takes, measured."""
    return statistics.median(
        [(await timed(team(backend(), agents=1, first_wave=1)))[0] for _ in range(5)]
    )


async def stages(call: float) -> list[Row]:
    rows: list[Row] = []
    for name, options, most in (
        ("explore 8 + judge", {"aggregate": "judge"}, 2.05),
        ("explore 8 + refine + merge", {"rounds": 1, "aggregate": "merge"}, 3.1),
    ):
        walls = [(await timed(team(backend(), **options)))[0] / call for _ in range(5)]
        median = statistics.median(walls)
        rows.append((f"{name}, wall in calls", f"at most {most}", f"{median:.2f}", median <= most))
    began = time.perf_counter()
    async with aclosing(run(team(backend()), QUESTION)) as stream:
        await anext(stream)
        first = 1000 * (time.perf_counter() - began)
    rows.append(("first event, ms", "at most 20", f"{first:.1f}", first <= 20))
    gaps = []
    for _ in range(5):
        _, events, _, _ = await timed(team(backend(), aggregate="merge"))
        started = next(
            event.at for event in events if event.kind == "agent_started" and event.agent == "merge"
        )
        answered = next(event.at for event in events if event.kind == "answer_delta")
        gaps.append(1000 * (answered - started - LATENCY))
    gap = statistics.median(gaps)
    rows.append(
        ("first answer token after the merger's first, ms", "at most 50", f"{gap:.1f}", gap <= 50)
    )
    _, events, _, _ = await timed(team(backend(agree=True), agents=16, first_wave=2))
    rows.append(
        (
            "16 agents that all agree, calls",
            "2",
            str(events[-1].usage.calls),
            events[-1].usage.calls == 2,
        )
    )
    return rows


async def faults(call: float) -> list[Row]:
    """Wall time of teams with one faulty agent, and with all faults at once."""
    odd = [
        [Wait(25), TextDelta("Answer: 0"), Finish()],
        [Fail(400)],
        [Wait(LATENCY / 2), TextDelta("Answ")],
    ]
    rows: list[Row] = []
    for name, scripts in (
        ("one of 8 hangs for 25 s", odd[:1]),
        ("one of 8 answers 400", odd[1:2]),
        ("one of 8 cuts its stream", odd[2:]),
        ("all three at once", odd),
    ):
        wall, events, error, _ = await timed(team(backend(*scripts), aggregate="vote"))
        good = error is None and bool(events[-1].answer) and wall / call <= 1.2
        ended = "answered" if error is None else str(error)
        rows.append(
            (f"{name}, wall in calls", "at most 1.2, answered", f"{wall / call:.2f}, {ended}", good)
        )
    return [*rows, *await random_faults(), await caller_gone()]


async def random_faults() -> list[Row]:
    """Runs in which every agent has a fault drawn at random: how they end, and what they leave behind."""
    rng = random.Random(0)
    faults = [
        [Fail(400)],
        [Fail(503)],
        [Crash(ValueError("?"))],
        [Garbage()],
        [Hang()],
        [TextDelta("Ans")],
        reply("Answer: 1", 0.01),
    ]
    finished, leaked = 0, 0
    for _ in range(200):
        scripts = [rng.choice(faults) for _ in range(8)]
        model = backend(*scripts, latency=0.01)
        async with asyncio.timeout(30):
            _, events, error, _ = await timed(
                team(model, agents=rng.randint(2, 8), rounds=rng.randint(0, 1)), deadline=1
            )
        finished += isinstance(error, MuseError) or bool(events[-1].answer)
        leaked += len(asyncio.all_tasks()) - 1 + model.running
    return [
        (
            "200 runs with random faults: answers or typed errors",
            "200",
            str(finished),
            finished == 200,
        ),
        ("tasks and streams left after them", "0", str(leaked), leaked == 0),
    ]


async def caller_gone() -> Row:
    """Seconds until everything is cancelled after a caller has left."""
    model = backend(*[[Hang()]] * 8)
    began = 0.0
    async with aclosing(run(team(model), QUESTION)) as stream:
        async for _ in stream:
            if model.running == 8:
                began = time.perf_counter()
                break
    gone = time.perf_counter() - began
    holds = gone <= 0.2 and model.running == 0
    return (
        "caller gone: seconds until everything is cancelled",
        "at most 0.2",
        f"{gone:.3f}",
        holds,
    )


async def soak(runs: int = 5000) -> list[Row]:
    """Processor time a call with 64 teams of 8 at once, and memory over many runs."""

    async def many(count: int, at_once: int) -> int:
        calls, left = 0, iter(range(count))

        async def worker() -> None:
            nonlocal calls
            for _ in left:
                _, events, _, _ = await timed(team(backend(latency=0.05), aggregate="vote"))
                calls += events[-1].usage.calls

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
        return calls

    await many(64, 64)
    began = time.process_time()
    calls = await many(256, 64)
    each = 1000 * (time.process_time() - began) / calls
    gc.collect()
    before = _resident()
    await many(runs, 64)
    gc.collect()
    grown = (_resident() - before) / 1e6
    return [
        (
            "64 teams of 8 at once: processor time a call, ms",
            "below 1.5",
            f"{each:.2f}",
            each < 1.5,
        ),
        (f"memory grown over {runs:,} runs, MB", "flat (below 10)", f"{grown:.1f}", grown < 10),
    ]


def _resident() -> int:
    """Bytes of this process in memory now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


async def measured(with_soak: bool) -> list[Row]:
    call = await one_call()
    rows = [
        ("one call, seconds", "", f"{call:.3f}", True),
        *await stages(call),
        *await faults(call),
    ]
    return rows + (await soak() if with_soak else [])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--soak", action="store_true", help="also the long ones")
    parser.add_argument("--json", action="store_true", help="one JSON object, without the lengths")
    lengths.add_options(parser)
    options = parser.parse_args()
    rows = asyncio.run(measured(options.soak))
    if options.json:
        print(
            json.dumps(
                [
                    dict(zip(("what", "asked", "measured", "holds"), row, strict=True))
                    for row in rows
                ],
                indent=1,
            )
        )
        return
    print("| what | asked | measured | |\n|---|---|---|---|")
    for what, asked, found, holds in rows:
        print(f"| {what} | {asked} | {found} | {'' if holds else '**missed**'} |")
    print(flush=True)
    lengths.report(options)


if __name__ == "__main__":
    main()
