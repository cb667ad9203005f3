"""Native agents as a team: what more of them buy on countdown-4 and maze, beside a plain vote at equal tokens.

    python benchmarks/native_team.py -n 200

Every agent contemplates by itself (it spawns its own threads); the team stops with the first answer that the task's verifier
finds right. The vote samples whole contemplations, as many as cost what the team cost, and counts heads without a verifier.
"""

from __future__ import annotations

import argparse
import asyncio

from musespark.answer import Answer, collect
from musespark.content import Image, Request
from musespark.evals.native import EvalSpec, Tally, draw_problems, run_eval
from musespark.evals.report import EvalRow, table
from musespark.images import encode_png
from musespark.models.nano import NanoModel
from musespark.nano.engine import Engine
from musespark.nano.tasks import TaskProblem, load_task
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team


async def answered(problem: TaskProblem, agents: int) -> Answer:
    """Answer a problem with a team of native agents."""
    images = [] if problem.image is None else [Image.from_bytes(encode_png(problem.image))]
    who = Team(explorers=(NanoModel(),), agents=agents, first_wave=agents, rounds=0)
    return await collect(run(who, Request.of(problem.question, images)))


async def team(task: str, problems: int, agents: int) -> EvalRow:
    """Measure a team of native agents on a task."""
    judge = load_task(task)
    sums = dict.fromkeys(("right", "threads", "critical_path", "tokens", "seconds"), 0.0)
    asked = draw_problems(EvalSpec(task, "contemplating", problems))
    for problem in asked:
        said = await answered(problem, agents)
        sums["right"] += judge.is_right(problem, said.answer)
        for name in ("threads", "critical_path", "tokens", "seconds"):
            sums[name] += getattr(said.usage, name)
    count = len(asked)
    return EvalRow(
        task,
        f"team of {agents}",
        count,
        int(sums["right"]),
        sums["threads"] / count,
        sums["critical_path"] / count,
        sums["tokens"] / count,
        sums["seconds"] / count,
    )


def vote(task: str, problems: int, votes: int) -> EvalRow:
    """Measure a plain vote among sampled contemplations."""
    tally = Tally(EvalSpec(task, "contemplating", problems, votes=votes))
    for result in run_eval(Engine.from_file(), tally.spec):
        tally.add(result)
    return tally.row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", type=int, default=200, help="problems of each task")
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 2, 4, 8])
    options = parser.parse_args()
    rows: list[EvalRow] = []
    for task in ("countdown-4", "maze"):
        teams = [asyncio.run(team(task, options.n, agents)) for agents in options.agents]
        voted = sorted(
            {votes for row in teams if (votes := round(row.tokens / teams[0].tokens)) > 1}
            | {max(options.agents)}
        )
        rows += [*teams, *(vote(task, options.n, votes) for votes in voted)]
    print(table(rows))


if __name__ == "__main__":
    main()
