"""Native agents as a team: what more of them buy on countdown-4 and maze, beside a plain vote at equal tokens.

    python benchmarks/native_team.py -n 200

Every agent contemplates by itself (it spawns its own threads); the team stops with the first answer that the world's verifier
finds right. The vote samples whole contemplations, as many as cost what the team cost, and counts heads without a verifier.
"""

from __future__ import annotations

import argparse
import asyncio

from musespark.answer import Answer, collect
from musespark.content import Image, Request
from musespark.evals.native import Sitting, Tally, fresh, sit
from musespark.evals.report import Row, table
from musespark.models.nano import NanoModel
from musespark.nano.engine import Engine
from musespark.nano.worlds import Problem, load_world
from musespark.pictures import png
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team


async def answered(problem: Problem, agents: int) -> Answer:
    """What a team of so many native agents says."""
    pictures = [] if problem.picture is None else [Image.from_bytes(png(problem.picture))]
    who = Team(explorers=(NanoModel(),), agents=agents, first_wave=agents, rounds=0)
    return await collect(run(who, Request.of(problem.question, pictures)))


async def team(world: str, problems: int, agents: int) -> Row:
    """How a team of so many does."""
    judge = load_world(world)
    sums = dict.fromkeys(("right", "threads", "critical_path", "tokens", "seconds"), 0.0)
    asked = fresh(Sitting(world, "contemplating", problems))
    for problem in asked:
        said = await answered(problem, agents)
        sums["right"] += judge.right(problem, said.answer)
        for name in ("threads", "critical_path", "tokens", "seconds"):
            sums[name] += getattr(said.usage, name)
    count = len(asked)
    return Row(world, f"team of {agents}", count, int(sums["right"]), sums["threads"] / count, sums["critical_path"] / count,
               sums["tokens"] / count, sums["seconds"] / count)


def vote(world: str, problems: int, votes: int) -> Row:
    """How a plain vote among so many sampled contemplations does."""
    tally = Tally(Sitting(world, "contemplating", problems, votes=votes))
    for result in sit(Engine.from_file(), tally.sitting):
        tally.add(result)
    return tally.row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=200, help="problems of each world")
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 2, 4, 8])
    options = parser.parse_args()
    rows: list[Row] = []
    for world in ("countdown-4", "maze"):
        teams = [asyncio.run(team(world, options.n, agents)) for agents in options.agents]
        voted = sorted({votes for row in teams if (votes := round(row.tokens / teams[0].tokens)) > 1} | {max(options.agents)})
        rows += [*teams, *(vote(world, options.n, votes) for votes in voted)]
    print(table(rows))


if __name__ == "__main__":
    main()
