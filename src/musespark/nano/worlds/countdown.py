"""Countdown: combine every number once, with + - * /, to make the target.

The distribution is that of Stream of Search (Gandhi et al., 2024) and APR (Pan et al., 2025): three or four numbers drawn
from 1..99, a target from 10..100, solvable. Thinking searches depth first, one first move after the other; contemplating
gives each first move it believes in to a thread of its own, and the first thread that reaches the target settles it.
"""

from __future__ import annotations

import ast
import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np

from musespark.nano import vocabulary as v
from musespark.nano.trace import Branch
from musespark.nano.worlds.world import Problem
from musespark.nano.worlds.world import held_out as split

TRIES = 10
"""First moves tried, in a row or side by side."""
LARGEST = 9999
"""Products beyond this never help to reach a target of at most 100 and are not written down."""
FOLLOW_HEURISTIC = 0.1
"""Loss weight of proposing a first move that fails: a faint pull towards plausible moves while solving ones are unknown."""

QUESTIONS = (
    "Use {numbers} to make {target}.",
    "Using {numbers}, make {target}.",
    "Combine {numbers} to get {target}.",
    "Make {target} from {numbers}.",
    "Reach {target} with the numbers {numbers}.",
    "How can you make {target} out of {numbers}?",
    "Can you get {target} using {numbers}, each exactly once?",
    "Write an expression that equals {target} with {numbers}.",
    "Countdown: numbers {numbers}, target {target}.",
    "Numbers: {numbers}. Target: {target}.",
    "Find a way to reach {target} using each of {numbers} once.",
    "With {numbers} and + - * /, make {target}.",
    "I have the numbers {numbers}. Please make {target}.",
    "Solve this countdown: {numbers} -> {target}",
    "Using the numbers [{listed}], create an equation that equals {target}.",
    "Use each of {numbers} exactly once to form {target}.",
)


@dataclass(frozen=True)
class Move:
    """Two numbers become one."""

    left: int
    operator: str
    right: int
    value: int
    rest: tuple[int, ...]
    """The numbers not used, in the order they had."""

    def __str__(self) -> str:
        return f"{self.left}{self.operator}{self.right}"


def moves(numbers: tuple[int, ...]) -> Iterator[Move]:
    """Every way to combine two of the numbers: pairs in order, larger number first, operators in the order + - * /."""
    for i, j in combinations(range(len(numbers)), 2):
        rest = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
        a, b = max(numbers[i], numbers[j]), min(numbers[i], numbers[j])
        yield Move(a, "+", b, a + b, rest)
        yield Move(a, "-", b, a - b, rest)
        if a * b <= LARGEST:
            yield Move(a, "*", b, a * b, rest)
        if b and a % b == 0:
            yield Move(a, "/", b, a // b, rest)


def finish(a: int, b: int, target: int) -> tuple[bool, str] | None:
    """The last move from two numbers to the target: (swapped, operator), or None."""
    if a + b == target:
        return False, "+"
    if a - b == target:
        return False, "-"
    if b - a == target:
        return True, "-"
    if a * b == target:
        return False, "*"
    if a == target * b and b:
        return False, "/"
    if b == target * a and a:
        return True, "/"
    return None


def solves(numbers: tuple[int, ...], target: int) -> bool:
    """Whether two or three numbers reach the target."""
    if len(numbers) == 2:
        return finish(*numbers, target) is not None
    return any(finish(move.value, move.rest[0], target) for move in moves(numbers))


def promise(move: Move, target: int) -> float:
    """How unlikely a first move looks: far from the target's factors (Gandhi et al., 2024) or large; small is promising."""
    factors = [f for f in range(2, target + 1) if target % f == 0]
    distance = sum(min(abs(n - f) for f in factors) for n in (move.value, *move.rest))
    return math.log1p(distance) + math.log1p(move.value)


def explore(move: Move, target: int) -> tuple[str, str | None]:
    """What a thought writes about one first move, and the expression it finds.

    Every second move is written with its value and a verdict: y when the two numbers then left make the target. The
    thought stops at the first y.
    """
    made = (move.value, f"({move})")
    terms = [made, *((n, str(n)) for n in move.rest)]
    written = f"={move.value}"
    if len(terms) == 2:
        found = _finished(terms[0], terms[1], target)
        return written + ("y" if found else "n"), found
    for i, j in combinations(range(3), 2):
        left, right = sorted((terms[i], terms[j]), key=lambda term: -term[0])
        (rest,) = (terms[k] for k in range(3) if k not in (i, j))
        written += f";{left[0]},{right[0]}"
        for second in moves((left[0], right[0])):
            found = _finished((second.value, f"({left[1]}{second.operator}{right[1]})"), rest, target)
            written += f"{second.operator}{second.value}{'y' if found else 'n'}"
            if found:
                return written, found
    return written, None


def _finished(a: tuple[int, str], b: tuple[int, str], target: int) -> str | None:
    last = finish(a[0], b[0], target)
    if last is None:
        return None
    first, second = (b, a) if last[0] else (a, b)
    return f"{first[1]}{last[1]}{second[1]}"


def propose(numbers: tuple[int, ...], target: int, rng: random.Random) -> list[Move]:
    """First moves to learn from: the solving ones at random places among promising ones that fail.

    The loss is on the solving moves, so that at every place in the list the network learns which move solves the problem
    given that those before it are on their way, and never to repeat one.
    """
    every = list(moves(numbers))
    good = [move for move in every if solves((move.value, *move.rest), target)]
    bad = [move for move in every if move not in good]
    bad.sort(key=lambda move: promise(move, target) + 0.7 * rng.gauss(0, 1))
    rng.shuffle(good)
    count = min(TRIES, len(every))
    chosen = good[: rng.randint(1, len(good))] if len(good) + len(bad) > count else good
    chosen = chosen[:count]
    places = set(rng.sample(range(count), max(len(chosen), count - len(bad))))
    pool, others = iter(chosen + good[len(chosen) :]), iter(bad)
    return [next(pool) if index in places else next(others) for index in range(count)]


class Countdown:
    """Countdown with the given counts of numbers."""

    name = "countdown"

    def __init__(self, sizes: tuple[int, ...] = (3, 4, 4, 4)) -> None:
        self.sizes = sizes

    def problem(self, rng: random.Random, held_out: bool) -> Problem:
        """Numbers and target at random until they are solvable and on the asked side of the split."""
        size = rng.choice(self.sizes)
        while True:
            numbers = tuple(rng.randint(1, 99) for _ in range(size))
            target = rng.randint(10, 100)
            key = f"countdown {sorted(numbers)} {target}"
            if split(key) != held_out:
                continue
            answer = next((found for move in moves(numbers) if (found := explore(move, target)[1])), None)
            if answer is not None:
                break
        words = [str(n) for n in numbers]
        listed = ", ".join(words)
        spoken = ", ".join(words[:-1]) + " and " + words[-1] if rng.random() < 0.6 else listed
        question = rng.choice(QUESTIONS).format(numbers=spoken, listed=listed, target=target)
        return Problem(self.name, question, answer, key=key, facts={"numbers": numbers, "target": target})

    def think(self, problem: Problem, mode: str, branch: Branch, rng: random.Random) -> None:
        """Instant: an expression. Thinking: first moves explored in a row. Contemplating: a thread for each."""
        branch.writes(v.WORLDS[self.name])
        numbers, target = problem.facts["numbers"], problem.facts["target"]
        if mode == "instant":
            branch.writes(v.ANSWER, problem.answer, v.EOS)
        elif mode == "thinking":
            self._in_a_row(propose(numbers, target, rng), target, problem.answer, branch)
        else:
            self._side_by_side(propose(numbers, target, rng), target, problem.answer, branch, rng)

    def _in_a_row(self, tries: list[Move], target: int, answer: str, branch: Branch) -> None:
        for move in tries:
            written, found = explore(move, target)
            branch.writes("\n").writes(str(move), weight=1.0 if found else FOLLOW_HEURISTIC).writes(written)
            if found:
                answer = found
                break
        branch.writes(v.ANSWER, answer, v.EOS)

    def _side_by_side(self, tries: list[Move], target: int, answer: str, branch: Branch, rng: random.Random) -> None:
        branch.writes(v.SPAWN)
        listed: list[tuple[int, float]] = []
        explored = []
        for move in tries:
            written, found = explore(move, target)
            weight = 1.0 if found else FOLLOW_HEURISTIC
            listed += [(v.TH, 1.0), *((token, weight) for token in v.encode(str(move)))]
            explored.append((move, written, found, len(listed) + 1))
        listed.append((v.JOIN, 1.0))
        wins = [one for one in explored if one[2]]
        fails = [one for one in explored if not one[2]]
        taught = explored if len(tries[0].rest) == 1 else [rng.choice(wins), *rng.sample(fails, min(2, len(fails)))]
        for move, written, found, _ in taught:
            child = branch.fork().given(v.TH, str(move), v.GO).writes(written, v.RET)
            child.writes(found, v.WIN) if found else child.writes(v.END)
        if rng.random() < 0.15:  # as when every thread failed: the best guess is what instant would say
            wins = []
        if wins:
            ends = [(start + len(written) + 2 + len(found), found) for _, written, found, start in wins]
            until, answer = min(ends)
            listed = listed[: max(1, until + rng.randint(-2, 2))]
        for token, weight in listed:
            branch.writes(token, weight=weight)
        if listed[-1][0] != v.JOIN:
            branch.given(v.JOIN)
        if wins:
            branch.given(v.RET, answer)
        branch.writes(v.ANSWER, answer, v.EOS)

    def right(self, problem: Problem, answer: str) -> bool:
        """Whether the expression uses every number once and equals the target."""
        value = evaluate(answer)
        return value is not None and value == (problem.facts["target"], tuple(sorted(problem.facts["numbers"])))

    def verify(self, question: str, picture: np.ndarray | None, answer: str) -> bool | None:
        """The question's integers must be those of the expression and, once more, its value."""
        asked = sorted(int(digits) for digits in re.findall(r"\d+", question))
        if not 3 <= len(asked) <= 7:
            return None
        value = evaluate(answer)
        return value is not None and sorted([*value[1], value[0]]) == asked


def evaluate(expression: str) -> tuple[Fraction, tuple[int, ...]] | None:
    """The value of an expression of integers and + - * /, and its integers sorted; None for anything else."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
        return _value(tree), tuple(sorted(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)))
    except (SyntaxError, ValueError, TypeError, ZeroDivisionError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return Fraction(number)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left) + _value(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _value(left) - _value(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _value(left) * _value(right)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _value(left) / _value(right)
    raise ValueError("only integers and + - * / are allowed")
