"""A team's run as a list of events, as realistic as a script can be: what the tests of everything that shows runs share."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from itertools import count
from operator import or_

from musespark.content import Mode
from musespark.events import (
    AgentCancelled,
    AgentFailed,
    AgentReturned,
    AgentStarted,
    Agreed,
    AnswerDelta,
    Changed,
    Decided,
    Event,
    Judged,
    Noted,
    RunEnded,
    RunStarted,
    Spent,
    StageStarted,
    Stamper,
    Thought,
    ToolCalled,
    ToolReturned,
)
from musespark.usage import Usage

QUESTION = "How many whole numbers below 1000 are divisible by 3 or by 5?"
RIGHT, WRONG, ODD = "466", "467", "533"
MODELS = (
    "anthropic:claude-haiku-4-5",
    "openai:gpt-5-mini",
    "google:gemini-2.5-flash",
    "mistral:mistral-small-latest",
)
WAYS = (
    "as it would alone",
    "Work through it step by step and check every step before the next.",
    "Work backwards from what is asked to what is given.",
    "Look for the trap: the detail most people would overlook. Then answer.",
)
_THOUGHTS = (
    "Let me count the multiples of 3 below 1000: there are 333 of them, because 999 = 3 * 333.\n",
    "Multiples of 5 below 1000: 199.\n",
    "But those of 15 are counted twice; there are 66, since 15 * 66 = 990.\n",
    "So 333 + 199 - 66.\n",
)


def team_run(
    agents: int = 8, seed: int = 0, *, models: tuple[str, ...] = MODELS, ended: bool = True
) -> list[Event]:
    """Explorers of which the second fails and the last two are cancelled, one round of refinement, judges, a decision."""
    ticks = count()
    stamp = Stamper(lambda: next(ticks) * 0.04)
    return [stamp(event) for event in _events(random.Random(seed), agents, models, ended)]


def _events(
    rng: random.Random, agents: int, models: tuple[str, ...], ended: bool
) -> Iterator[Event]:
    names = [f"agent-{number}" for number in range(1, agents + 1)]
    yield RunStarted("r1", Mode.CONTEMPLATING, " + ".join(models), QUESTION)
    yield AgentStarted("main", None, QUESTION)
    yield StageStarted("explore")
    answers: dict[str, str] = {}
    yield from _explored(rng, names, models, answers)
    if len(set(answers.values())) > 1:
        yield from _refined(rng, answers)
        yield from _judged(answers)
    if ended:
        yield from _ended(answers)


def _explored(
    rng: random.Random, names: list[str], models: tuple[str, ...], answers: dict[str, str]
) -> Iterator[Event]:
    failing = names[1:2] if len(names) > 2 else []
    left = names[-2:] if len(names) > 6 else []
    for index, name in enumerate(names):
        yield AgentStarted(
            name, "main", f"{models[index % len(models)]}: {WAYS[index % len(WAYS)]}"
        )
    work = {name: _work(rng, name, index) for index, name in enumerate(names)}
    spent: dict[str, Usage] = {}
    for turn in count():
        if not work:
            break
        name = rng.choice([*work])
        if name in failing and turn > len(names):
            del work[name]
            yield AgentFailed(
                name,
                "ModelFailed",
                f"The model {models[1 % len(models)]!r} failed with status 500: overloaded.",
            )
            continue
        try:
            event = next(work[name])
            yield event
            if isinstance(event, Spent):
                spent[name] = event.usage
                yield Spent("main", replace(reduce(or_, spent.values()), threads=len(names)))
        except StopIteration:
            del work[name]
            if name in left:
                continue
            answers[name] = rng.choices((RIGHT, WRONG, ODD), (6, 3, 1))[0]
            yield AgentReturned(
                name, f"Inclusion and exclusion gives it.\n\nAnswer: {answers[name]}"
            )
            yield agreed(
                answers, enough=not set(work) - set(left) and len(set(answers.values())) == 1
            )
    for name in left:
        yield AgentCancelled(name, "it lagged behind the others, who were enough to decide")


def _work(rng: random.Random, name: str, index: int) -> Iterator[Event]:
    usage = Usage(calls=1)
    for number, thought in enumerate(_THOUGHTS):
        for piece in (thought[:20], thought[20:]):
            usage += Usage(tokens=rng.randrange(20, 60), critical_path=20, seconds=0.1, usd=0.0001)
            yield Thought(name, piece)
            yield Spent(name, usage)
        if number == 1 and index % 3 == 2:
            yield ToolCalled(
                name,
                "c1",
                "python",
                '{"code": "print(sum(1 for n in range(1000) if n % 3 == 0 or n % 5 == 0))"}',
            )
            yield ToolReturned(name, "c1", "467")
    if index == 4:
        yield Noted(name, "It lags; its question is asked a second time beside it.")


def _refined(rng: random.Random, answers: dict[str, str]) -> Iterator[Event]:
    yield StageStarted("refine", 1)
    for name in answers:
        yield AgentStarted(f"{name}/round-1", "main", "reconsiders")
    for name, before in list(answers.items()):
        yield Thought(f"{name}/round-1", "Another answer counts 0 as well; below 1000 there are")
        answers[name] = RIGHT if before == WRONG and rng.random() < 0.5 else before
        yield AgentReturned(f"{name}/round-1", f"Answer: {answers[name]}")
        yield Changed(name, before, answers[name], before == answers[name])
    yield agreed(answers)


def _judged(answers: dict[str, str]) -> Iterator[Event]:
    yield StageStarted("aggregate")
    first = {answer: name for name, answer in reversed(answers.items())}
    if len(first) > 1:
        one, other, *_ = first.values()
        for agent, pair in (("judge-1", (one, other)), ("judge-2", (other, one))):
            yield AgentStarted(agent, "main", f"{MODELS[0]}: {pair[0]} or {pair[1]}?")
            yield Thought(agent, "The second counts the number 0.")
            yield AgentReturned(agent, '{"better": "A"}')
        yield Judged(MODELS[0], one, other, "It counts from 1, as was asked.")


def _ended(answers: dict[str, str]) -> Iterator[Event]:
    groups = agreed(answers)
    answer = groups.answers[0] if answers else RIGHT
    yield Decided(
        "vote",
        groups.groups[0] if answers else (),
        f"{len(answers)} answers, most of them {answer}.",
    )
    for piece in ("There are ", answer, "."):
        yield AnswerDelta(piece)
    usage = Usage(
        tokens=18_432,
        critical_path=912,
        threads=len(answers),
        seconds=4.2,
        usd=0.0231,
        prompt_tokens=9_100,
        calls=23,
    )
    yield Spent("main", usage)
    yield AgentReturned("main", f"There are {answer}.")
    yield RunEnded(f"There are {answer}.", False, usage)


def agreed(answers: dict[str, str], enough: bool = False) -> Agreed:
    """How answers by agent fall into groups."""
    groups: dict[str, list[str]] = {}
    for name, answer in answers.items():
        groups.setdefault(answer, []).append(name)
    leading = sorted(groups.items(), key=lambda item: -len(item[1]))
    return Agreed(
        tuple(tuple(names) for _, names in leading),
        tuple(answer for answer, _ in leading),
        enough,
        "more answers would not change the winner" if enough else "",
    )
