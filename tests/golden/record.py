"""Record the golden runs: one run for each way a run can end, as stored events, with the state that they fold into.

    PYTHONPATH=src:tests python tests/golden/record.py

The terminal's fold (`musespark.cli.view.board`) and the page's (`web/src/fold/run.ts`) replay the same files, and both
must reach the state in them. Record anew only if events change; review the difference of the states.
"""

import asyncio
import json
from pathlib import Path

from golden.state import state_of
from reasoning.teams import contemplated, model, says, team

from musespark.budget import Budget, Limits
from musespark.cli.view.board import Board
from musespark.content import Request
from musespark.models.fake import DOT, Fail, FakeModel, Wait
from musespark.models.model import (
    AbstainedDelta,
    Finish,
    ImageDelta,
    TextDelta,
    ThinkingDelta,
    ThreadCancelled,
    ThreadReturned,
    ThreadStarted,
    UsageDelta,
    VerifiedDelta,
)
from musespark.reasoning.team.team import Team
from musespark.usage import Usage

HERE = Path(__file__).parent
USAGE = UsageDelta(Usage(tokens=10, critical_path=10))


def answers(*texts, **stages):
    """A model whose explorers answer these in turn."""
    return model([says(text) for text in texts], **stages)


def checked(ok):
    """A script of a backend that spawns two threads, draws an image, and has its answer checked."""
    return [
        ThreadStarted("thread-1", "main", "D"),
        ThreadStarted("thread-2", "main", "R"),
        ThinkingDelta("R is free.", "thread-2"),
        ImageDelta(DOT, 1, 1, "after R", "thread-2"),
        ThreadReturned("thread-2", "RD"),
        ThreadCancelled("thread-1", "not needed"),
        TextDelta("RD"),
        VerifiedDelta(ok, "the maze"),
        USAGE,
        Finish(),
    ]


async def stopped():
    """A run that is stopped while its second agent thinks."""
    budget = Budget()
    fake = FakeModel(
        lambda request, number: (
            says("Answer: 42") if number == 0 else [Wait(60), TextDelta("?"), Finish()]
        )
    )

    async def stop():
        while len(fake.requests) < 2 or fake.running > 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        budget.stop()

    stopping = asyncio.create_task(stop())
    events, _, _ = await contemplated(team(fake, agents=2), budget=budget)
    await stopping
    return events


async def ended(who, budget=None, mode="contemplating"):
    solver = who if isinstance(who, Team) else Team.of(who)
    events, _, _ = await contemplated(solver, Request.of("What is 6 * 7?", mode=mode), budget)
    return events


def refined(request):
    return says("Answer: 42")


RUNS = {
    "agree": lambda: ended(team(answers("Answer: 42", "Answer: 42"), agents=4)),
    "tie": lambda: ended(
        team(answers("Answer: 42", "Answer: 41", "Answer: 42", "Answer: 41"), agents=4)
    ),
    "all-differ": lambda: ended(team(answers("Answer: 40", "Answer: 41", "Answer: 42"), agents=3)),
    "refined": lambda: ended(
        team(
            answers("Answer: 41", "Answer: 42", "Answer: 42", "Answer: 41", refine=refined),
            agents=4,
            rounds=1,
        )
    ),
    "merged": lambda: ended(
        team(
            answers("Answer: 41", "Answer: 42", merge=[says("It is 42: 6 times 7.")]),
            agents=2,
            aggregate="merge",
        )
    ),
    "judged": lambda: ended(
        team(
            answers("Answer: 41", "Answer: 42", judge=[says("A"), says("B")]),
            agents=2,
            aggregate="judge",
        )
    ),
    "stopped": stopped,
    "budget": lambda: ended(
        team(answers("Answer: 42", "Answer: 41", "Answer: 40"), agents=6), Budget(Limits(calls=3))
    ),
    "verified": lambda: ended(FakeModel(checked(True))),
    "refuted": lambda: ended(FakeModel(checked(False))),
    "abstained": lambda: ended(
        FakeModel(
            [
                TextDelta("I do not answer: the maze has 8x8 cells."),
                AbstainedDelta("the maze has 8x8 cells"),
                USAGE,
                Finish(),
            ]
        )
    ),
    "failed": lambda: ended(FakeModel([Fail(400, "no such model")])),
    "single-agent": lambda: ended(FakeModel(says("42")), mode="thinking"),
}


async def main():
    for name, record in RUNS.items():
        events = await record()
        board = Board()
        for event in events:
            board = board.after(event)
        golden = {"events": [event.to_json() for event in events], "state": state_of(board)}
        (HERE / f"{name}.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
        print(
            f"{name:14} {len(events):3} events  {board.status:10} why={board.finish_reason} answer={board.answer[:40]!r}"
        )


if __name__ == "__main__":
    asyncio.run(main())
