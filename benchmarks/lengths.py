"""Replies of real lengths: which healthy agents a team cuts off or asks twice, and what a deadline costs. In virtual time, as the second
half of `team.py`, or alone:

    python benchmarks/lengths.py --data DIR --plot docs/team

Eight agents, all at once, no refinement; the vote decides. A reply comes token by token: a wait before the first, then a pace of
its own, with pauses as streams have them (log-normal each; now and then a stall of a second or more). Whether a reply is right may
go with its length either way, as with real models: on some questions the hasty err, on others those that lose their way. In half of
the runs one of the eight never answers, one is refused with HTTP 400, and one breaks off.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from length_sets import (
    AGENTS,
    CUT,
    HANG,
    MADE_UP,
    PIECE,
    REFUSED,
    STRONG,
    Scene,
    sets,
    timeline,
)

from musespark.budget import Budget, Limits
from musespark.content import Request
from musespark.errors import ModelFailed, MuseError
from musespark.evals import virtual_time
from musespark.events import AgentCancelled, Event, Noted
from musespark.models.model import Abilities, Delta, Finish, TextDelta, UsageDelta
from musespark.reasoning.consensus.stopping import enough as default_enough
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

ABLE = Abilities(conversation=True, context=200_000)
DEADLINES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""As parts of the median time of the slowest of eight."""
AT_DEADLINES = 150
"""Questions of a set that are asked under each deadline."""


@dataclass(eq=False)
class Paced:
    """A model that gives the planned replies, at the pace of the world."""

    scene: Scene
    seed: int
    streams: bool = True
    """False: the reply comes whole after its time, as from a model that reasons in secret."""
    name: str = "paced"
    abilities: Abilities = ABLE
    began: int = 0

    async def stream(self, request: Request) -> AsyncGenerator[Delta, None]:
        """A reply to an explorer; to one that is asked to conclude, what it would have said with what it has worked out."""
        if request.stage == "conclude":
            async for delta in self._conclusion(request.messages[-2].text):
                yield delta
            return
        index, self.began = self.began, self.began + 1
        reply = self.scene.replies[index % AGENTS]
        if reply.fault == REFUSED:
            raise ModelFailed(self.name, "the request is refused", 400)
        if reply.fault == HANG and index < AGENTS:
            await asyncio.get_running_loop().create_future()
        gaps = timeline(reply, f"{self.seed} {index}")
        for number, gap in enumerate(gaps):
            await asyncio.sleep(gap)
            if reply.fault == CUT and number > len(gaps) // 2:
                return
            if self.streams:
                yield TextDelta((f"#{index}# " if not number else "") + "word " * PIECE)
                yield UsageDelta(
                    Usage(tokens=PIECE * (number + 1), critical_path=PIECE * (number + 1))
                )
        yield TextDelta(f"\nAnswer: {reply.answer}")
        yield UsageDelta(Usage(tokens=reply.tokens + 4, critical_path=reply.tokens + 4))
        yield Finish()

    async def _conclusion(self, thoughts: str) -> AsyncGenerator[Delta, None]:
        """Its own answer with the probability of the part that it has thought, else any; nothing better is known of half a
        thought."""
        index = int(thoughts.split("#")[1])
        reply, chance = (
            self.scene.replies[index % AGENTS],
            random.Random(f"{self.seed} {index} concludes"),
        )
        await asyncio.sleep(
            chance.lognormvariate(math.log(0.6), 0.5)
            + 12 / chance.lognormvariate(math.log(60), 0.3)
        )
        part = min(1.0, thoughts.count("word ") / max(1, reply.tokens))
        yield TextDelta(
            f"Answer: {reply.answer if chance.random() < part else f'guess {chance.randrange(100)}'}"
        )
        yield UsageDelta(Usage(tokens=12, critical_path=12))
        yield Finish()


@dataclass
class Tally:
    """Outcomes of many runs."""

    runs: int = 0
    healthy: int = 0
    cut_off: int = 0
    """Healthy agents that were cancelled before the vote was decided."""
    doubled: int = 0
    """Healthy agents whose question was asked a second time."""
    right: int = 0
    right_all: int = 0
    """Runs in which the plain majority of all healthy replies, however long they take, is right."""
    right_in_time: int = 0
    """The same of those replies that are whole at the deadline."""
    concluded: int = 0
    seconds: list[float] = field(default_factory=list)
    over_slowest: list[float] = field(default_factory=list)
    """Wall time as a part of the slowest healthy reply's, of the runs with a hang."""


def majority(answers: Sequence[str]) -> str:
    """The most frequent; of equals the first."""
    return Counter(answers).most_common(1)[0][0] if answers else ""


async def play(
    scene: Scene,
    seed: int,
    tally: Tally,
    *,
    patient: bool,
    deadline: float | None = None,
    streams: bool = True,
) -> None:
    """One run, added to the tally. patient: no early stop, so that nothing but the policy cuts an agent off."""
    model = Paced(scene, seed, streams)
    enough = (lambda counts, remaining: (False, "")) if patient else default_enough
    team = Team(
        explorers=(model,), agents=AGENTS, first_wave=AGENTS, aggregate="vote", enough=enough
    )
    loop = asyncio.get_running_loop()
    began, events = loop.time(), []
    budget = Budget(Limits(seconds=deadline))
    try:
        async with aclosing(run(team, Request.of("Which of them is it?"), budget)) as stream:
            async for event in stream:
                events.append(event)
    except MuseError:
        pass
    wall = loop.time() - began
    healthy = {f"agent-{index + 1}" for index, reply in enumerate(scene.replies) if not reply.fault}
    count(tally, scene, events, healthy, wall)
    whole = everyone(scene, seed)
    tally.right_all += majority([answer for _, answer in whole]) == scene.gold
    tally.right_in_time += (
        majority([answer for ended, answer in whole if deadline is None or ended <= deadline])
        == scene.gold
    )
    if any(reply.fault == HANG for reply in scene.replies):
        tally.over_slowest.append(wall / whole[-1][0])


def count(tally: Tally, scene: Scene, events: list[Event], healthy: set[str], wall: float) -> None:
    """Add one run to the tally."""
    answer = next((event.answer for event in events if event.kind == "run_ended"), "")
    cancelled = {
        event.agent
        for event in events
        if isinstance(event, AgentCancelled) and "silent" in event.reason
    }
    noted = [event for event in events if isinstance(event, Noted)]
    tally.runs += 1
    tally.healthy += len(healthy)
    tally.cut_off += len(cancelled & healthy) + sum(
        "fell silent" in event.text and event.agent in healthy for event in noted
    )
    tally.doubled += sum(
        "a second time" in event.text and event.agent in healthy for event in noted
    )
    tally.concluded += sum("Time is about to end" in event.text for event in noted)
    tally.right += answer.rsplit("Answer: ", 1)[-1].strip() == scene.gold
    tally.seconds.append(wall)


def everyone(scene: Scene, seed: int) -> list[tuple[float, str]]:
    """When each healthy reply is whole, and its answer, if none is ever cut off; the quickest first."""
    return sorted(
        (sum(timeline(reply, f"{seed} {index}")), reply.answer)
        for index, reply in enumerate(scene.replies)
        if not reply.fault
    )


def table(named: dict[str, list[Scene]]) -> str:
    """Healthy agents cut off or doubled, the vote beside that of all healthy ones, and what faults cost."""
    head = (
        "replies",
        "runs",
        "healthy cut off",
        "healthy hedged",
        "vote",
        "vote of all healthy",
        "hang: wall / slowest healthy, median (p95)",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, scenes in named.items():
        for streams in (True, False) if name == MADE_UP else (True,):
            tally = Tally()
            for number, scene in enumerate(scenes):
                virtual_time.run(play(scene, number, tally, patient=True, streams=streams))
            over = sorted(tally.over_slowest)
            lines.append(
                f"| {name}{'' if streams else ', replies come whole'} | {tally.runs} | {tally.cut_off / tally.healthy:.2%} | "
                f"{tally.doubled / tally.healthy:.2%} | {tally.right / tally.runs:.4f} | {tally.right_all / tally.runs:.4f} | "
                f"{over[len(over) // 2]:.2f} ({over[int(0.95 * len(over))]:.2f}) |"
            )
    return "\n".join(lines) + "\n"


def deadlines(named: dict[str, list[Scene]]) -> dict[str, list[tuple[float, float, float, float]]]:
    """For each set: deadline in parts of the slowest of eight (median), seconds a run took, right answers, those of a plain
    majority of what is whole by then."""
    found = {}
    for name, scenes in named.items():
        if name.endswith(STRONG):  # of which nearly all are right at any time
            continue
        scenes = scenes[:AT_DEADLINES]
        whole = sorted(everyone(scene, number)[-1][0] for number, scene in enumerate(scenes))
        slowest = whole[len(whole) // 2]
        rows = []
        for part in DEADLINES:
            tally = Tally()
            for number, scene in enumerate(scenes):
                virtual_time.run(play(scene, number, tally, patient=False, deadline=part * slowest))
            rows.append(
                (
                    part,
                    sum(tally.seconds) / tally.runs,
                    tally.right / tally.runs,
                    tally.right_in_time / tally.runs,
                )
            )
        found[name] = rows
    return found


def deadline_table(found: dict[str, list[tuple[float, float, float, float]]]) -> str:
    lines = [
        "| replies | deadline / slowest of eight | seconds taken, mean | team | plain majority of whole replies |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {part:g} | {seconds:.1f} | {ours:.3f} | {plain:.3f} |"
        for name, rows in found.items()
        for part, seconds, ours, plain in rows
    ]
    return "\n".join(lines) + "\n"


def plot(found: dict[str, list[tuple[float, float, float, float]]], where: Path) -> Path:
    """Right answers against the deadline, ours beside a plain majority."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "musespark"
    figure, axes = pyplot.subplots(
        1, len(found), figsize=(4 * len(found), 3.2), layout="constrained", squeeze=False
    )
    for axis, (name, rows) in zip(axes[0], found.items(), strict=True):
        parts = [row[0] for row in rows]
        axis.plot(parts, [row[2] for row in rows], "o-", label="team: concludes in time")
        axis.plot(parts, [row[3] for row in rows], "s--", label="plain majority of whole replies")
        axis.set(title=name, xlabel="deadline / slowest of eight", ylabel="right answers")
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize=8)
    where.mkdir(parents=True, exist_ok=True)
    path = where / "deadlines.svg"
    figure.savefig(path, metadata={"Date": None})
    return path


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark, for its own command line and for `team.py`'s."""
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("MUSE_RECORDED"),
        help="the directory of recorded answers",
    )
    parser.add_argument("--questions", type=int, default=1000, help="of the log-normal set")
    parser.add_argument(
        "--repeats", type=int, default=1, help="runs of each recorded question, paced anew"
    )
    parser.add_argument("--kept", type=Path, help="where compared answers are kept between runs")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="where deadlines.svg goes")


def report(options: argparse.Namespace) -> None:
    """Print both tables, and draw the plot where one is asked for."""
    data = Path(options.data) if options.data else None
    named = sets(data, options.questions, options.repeats, options.kept)
    print(table(named), flush=True)
    by_deadline = deadlines(named)
    print(deadline_table(by_deadline), flush=True)
    if options.plot:
        print(f"Drawn in {plot(by_deadline, options.plot)}.")


if __name__ == "__main__":
    own = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(own)
    report(own.parse_args())
