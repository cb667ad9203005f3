"""Countdown: combine every number once, with + - * /, to make the target.

The distribution is that of Stream of Search (Gandhi et al., 2024) and APR (Pan et al., 2025): three or four numbers drawn
from 1..99, a target from 10..100, solvable. Thinking searches depth first, one first move after the other; contemplating starts a
thread for each promising first move, and the first thread that reaches the target settles the question.
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

from musespark.nano import vocabulary as v
from musespark.nano.arrays import Pixels
from musespark.nano.tasks.countdown_reading import QUESTIONS, read, reason_unread
from musespark.nano.tasks.task import TaskProblem, held_out as split
from musespark.nano.trace import Branch

TRIES = 10
"""First moves tried in parallel."""
SERIAL_TRIES = 8
"""First moves tried one after the other, as many as fit the positions of a training row."""
LARGEST = 9999
"""Products beyond this never help to reach a target of at most 100."""
LARGEST_NEED = 999
"""Largest needed value that a thought writes down; 97% of four-number problems can be solved within it."""
VERDICT = 6.0
"""Loss weight of a verdict: one character in ten, on which everything else depends."""
FOLLOW_HEURISTIC = 0.3
"""Loss weight of proposing a first move that fails: a faint pull towards plausible moves while solving ones are unknown."""


@dataclass(frozen=True)
class Move:
    """A move: two numbers become one."""

    left: int
    operator: str
    right: int
    value: int
    rest: tuple[int, ...]
    """The numbers not used, in their original order."""

    def __str__(self) -> str:
        return f"{self.left}{self.operator}{self.right}"

    @property
    def remainder(self) -> int:
        """Remainder of a division. A move with a remainder is written down only to be rejected."""
        return self.left % self.right if self.operator == "/" else 0


def moves(numbers: tuple[int, ...], inexact: bool = False) -> Iterator[Move]:
    """All ways to combine two of the numbers: pairs in order, larger number first, operators in the order + - * /.

    inexact: include divisions with a remainder, which are not legal moves.
    """
    for i, j in combinations(range(len(numbers)), 2):
        rest = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
        a, b = max(numbers[i], numbers[j]), min(numbers[i], numbers[j])
        yield Move(a, "+", b, a + b, rest)
        yield Move(a, "-", b, a - b, rest)
        if a * b <= LARGEST:
            yield Move(a, "*", b, a * b, rest)
        if b and (inexact or a % b == 0):
            yield Move(a, "/", b, a // b, rest)


def makes(a: int, b: int, target: int) -> bool:
    """Return True if one move makes the target of two numbers."""
    return (
        target in (a + b, a - b, b - a, a * b)
        or (b > 0 and a == target * b)
        or (a > 0 and b == target * a)
    )


def solves(numbers: tuple[int, ...], target: int) -> bool:
    """Return True if two or three numbers reach the target."""
    if len(numbers) == 2:
        return makes(*numbers, target)
    return any(makes(move.value, move.rest[0], target) for move in moves(numbers))


def heuristic_cost(move: Move, target: int) -> float:
    """Heuristic cost of a first move: distance from the target's factors (Gandhi et al., 2024) and size; small is promising."""
    factors = [f for f in range(2, target + 1) if target % f == 0]
    distance = sum(min(abs(n - f) for f in factors) for n in (move.value, *move.rest))
    return math.log1p(distance) + math.log1p(move.value)


def needed_values(rest: int, target: int) -> dict[int, str]:
    """The values that make the target together with the remaining number, each with its sign in `LAST`."""
    found: dict[int, str] = {}
    for value, sign, whole in (
        (target - rest, "+", True),
        (target + rest, "-", True),
        (rest - target, "_", True),
        (target // rest if rest else -1, "*", bool(rest) and target % rest == 0),
        (target * rest, "/", 0 < target * rest <= LARGEST_NEED),
        (rest // target, "|", rest >= target and rest % target == 0),
    ):
        if whole and value >= 0 and value not in found:
            found[value] = sign
    return found


LAST = {
    "+": "{r}+{c}",
    "-": "{r}-{c}",
    "_": "{c}-{r}",
    "*": "{r}*{c}",
    "/": "{r}/{c}",
    "|": "{c}/{r}",
}
"""Form of the last move, by the sign behind a needed value: r is that value, c the remaining number."""


def explore(move: Move, target: int) -> tuple[list[str], str | None]:
    """Explore one first move: the text of the thought, and the expression it finds.

    For each remaining number: the values needed beside it, each with its sign, then every move of the other two with its value
    and a verdict: `25-3=22;7,59+73-462/:22,12+34n-10n*264n`. The verdict is n, or the sign behind that value in the list of needed
    ones; there the thought stops. A division with a remainder ends with the remainder: `93/7=13r2`. The pieces are text and verdict
    in turn.
    """
    if move.remainder:
        return [f"={move.value}", f"r{move.remainder}"], None
    made = (move.value, f"({move})")
    terms = [made, *((n, str(n)) for n in move.rest)]
    pieces: list[str] = []
    text = f"={move.value}"
    if len(terms) == 2:
        wanted = needed_values(terms[1][0], target)
        text += f";{terms[1][0]},{_listed(wanted)}:{move.value}"
        sign = wanted.get(move.value)
        return [text, sign or "n"], LAST[sign].format(r=made[1], c=terms[1][1]) if sign else None
    for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        left, right = sorted((terms[i], terms[j]), key=lambda term: -term[0])
        wanted = needed_values(terms[k][0], target)
        text += f";{terms[k][0]},{_listed(wanted)}:{left[0]},{right[0]}"
        for second in moves((left[0], right[0])):
            if second.value > LARGEST_NEED:
                continue
            sign = wanted.get(second.value)
            pieces += [f"{text}{second.operator}{second.value}", sign or "n"]
            text = ""
            if sign:
                return pieces, LAST[sign].format(
                    r=f"({left[1]}{second.operator}{right[1]})", c=terms[k][1]
                )
    return ([*pieces, text] if text else pieces), None


def _listed(wanted: dict[int, str]) -> str:
    return "".join(f"{value}{sign}" for value, sign in wanted.items())


def _judge(branch: Branch, pieces: list[str]) -> None:
    """Write the pieces of `explore`, the verdicts with their loss weight."""
    for index, piece in enumerate(pieces):
        branch.write(piece, weight=VERDICT if index % 2 else 1.0)


def solution(terms: list[tuple[int, str]], target: int) -> str | None:
    """Find an expression that makes the target from (value, expression) terms by exhaustive search; None if there is none."""
    if len(terms) == 1:
        return terms[0][1][1:-1] if terms[0][0] == target else None
    for (i, a), (j, b) in combinations(enumerate(terms), 2):
        left, right = sorted((a, b), key=lambda term: -term[0])
        others = [term for k, term in enumerate(terms) if k not in (i, j)]
        for move in moves((left[0], right[0])):
            found = solution(
                [(move.value, f"({left[1]}{move.operator}{right[1]})"), *others], target
            )
            if found:
                return found
    return None


def propose(
    numbers: tuple[int, ...], target: int, rng: random.Random, inexact: bool = False
) -> list[Move]:
    """Choose first moves for training: all of them for three numbers; for four, solving moves among promising ones that fail.

    Three numbers have at most a dozen, in the order of `moves`: there is nothing to choose, and inexact divisions are listed as
    well, so that exactness need not be decided either. For four numbers the loss is on the solving moves, so that at every place in
    the list the network learns which move solves the problem, given those before it, and not to repeat one.
    """
    if len(numbers) == 3:
        return list(
            dict.fromkeys(moves(numbers, inexact))
        )  # two equal numbers make some moves twice
    every = list(dict.fromkeys(moves(numbers)))
    good = [
        move
        for move in every
        if solves((move.value, *move.rest), target) and explore(move, target)[1]
    ]
    bad = [move for move in every if move not in good]
    bad.sort(key=lambda move: heuristic_cost(move, target) + 0.7 * rng.gauss(0, 1))
    rng.shuffle(good)
    count = min(TRIES, len(every))
    chosen = good[: rng.randint(1, len(good))] if good and len(every) > count else good
    chosen = chosen[:count]
    places = set(rng.sample(range(count), max(len(chosen), count - len(bad))))
    pool, others = iter(chosen + good[len(chosen) :]), iter(bad)
    return [next(pool) if index in places else next(others) for index in range(count)]


def _all_are_tried(tries: list[Move]) -> bool:
    """Return True if these are all first moves: with three numbers one number remains after a move."""
    return len(tries[0].rest) == 1


def _weight(tries: list[Move], found: str | None) -> float:
    """Loss weight of proposing one of the moves."""
    return 1.0 if found or _all_are_tried(tries) else FOLLOW_HEURISTIC


class Countdown:
    """Countdown with the given counts of numbers."""

    name = "countdown"

    def __init__(self, sizes: tuple[int, ...] = (3, 3, 4, 4)) -> None:
        self.sizes = sizes

    def generate(self, rng: random.Random, held_out: bool) -> TaskProblem:
        """Draw numbers and target until they are solvable and on the requested side of the split."""
        size = rng.choice(self.sizes)
        while True:
            numbers = tuple(rng.randint(1, 99) for _ in range(size))
            target = rng.randint(10, 100)
            key = f"countdown {sorted(numbers)} {target}"
            if split(key) != held_out:
                continue
            answer = next(
                (found for move in moves(numbers) if (found := explore(move, target)[1])), None
            )
            answer = answer or solution([(n, str(n)) for n in numbers], target)
            if answer is not None:
                break
        words = [str(n) for n in numbers]
        listed = ", ".join(words)
        spoken = ", ".join(words[:-1]) + " and " + words[-1] if rng.random() < 0.6 else listed
        question = rng.choice(QUESTIONS).format(numbers=spoken, listed=listed, target=target)
        return TaskProblem(
            self.name, question, answer, key=key, facts={"numbers": numbers, "target": target}
        )

    def write_thought(
        self, problem: TaskProblem, mode: str, branch: Branch, rng: random.Random
    ) -> None:
        """Write the thought. Instant: an expression. Thinking: first moves in sequence. Contemplating: a thread for each."""
        branch.write(v.TASK_TOKENS[self.name])
        numbers, target = problem.facts["numbers"], problem.facts["target"]
        if mode == "instant":
            branch.write(v.ANSWER, problem.answer, v.EOS)
        elif mode == "thinking":
            self._in_a_row(propose(numbers, target, rng), target, problem.answer, branch)
        else:
            self._side_by_side(
                propose(numbers, target, rng, inexact=True), target, problem.answer, branch, rng
            )

    def _in_a_row(self, tries: list[Move], target: int, answer: str, branch: Branch) -> None:
        for move in tries if _all_are_tried(tries) else tries[:SERIAL_TRIES]:
            written, found = explore(move, target)
            branch.write("\n").write(str(move), weight=_weight(tries, found))
            _judge(branch, written)
            if found:
                answer = found
                break
        branch.write(v.ANSWER, answer, v.EOS)

    def _side_by_side(
        self, tries: list[Move], target: int, answer: str, branch: Branch, rng: random.Random
    ) -> None:
        branch.write(v.SPAWN)
        listed: list[tuple[int, float]] = []
        explored = []
        for move in tries:
            written, found = explore(move, target)
            weight = _weight(tries, found)
            listed += [(v.TH, 1.0), *((token, weight) for token in v.encode(str(move)))]
            explored.append((move, written, found, len(listed) + 1))
        listed.append((v.JOIN, 1.0))
        wins = [one for one in explored if one[2]]
        fails = [one for one in explored if not one[2]]
        shown = 6 if _all_are_tried(tries) else 2  # a thread of three numbers is short
        taught = [*rng.sample(wins, min(1, len(wins))), *rng.sample(fails, min(shown, len(fails)))]
        for move, written, found, _ in taught:
            child = branch.fork().force(v.TH, str(move), v.GO)
            _judge(child, written)
            child.write(v.RET)
            child.write(found, v.WIN) if found else child.write(v.END)
        if (
            rng.random() < 0.15
        ):  # as if every thread had failed: the best guess is the instant answer
            wins = []
        if wins:
            ends = [
                (start + len("".join(written)) + 2 + len(found), found)
                for _, written, found, start in wins
                if found
            ]
            until, answer = min(ends)
            listed = listed[: max(1, until + rng.randint(-2, 2))]
        for token, weight in listed:
            branch.write(token, weight=weight)
        if listed[-1][0] != v.JOIN:
            branch.force(v.JOIN)
        if wins:
            branch.force(v.RET, answer)
        branch.write(v.ANSWER, answer, v.EOS)

    def is_right(self, problem: TaskProblem, answer: str) -> bool:
        """Return True if the expression uses every number once and equals the target."""
        value = evaluate(answer)
        return value is not None and value == (
            problem.facts["target"],
            tuple(sorted(problem.facts["numbers"])),
        )

    def verify(self, question: str, image: Pixels | None, answer: str) -> bool | None:
        """Check the expression for the numbers and target in the question; None if the question was not understood completely."""
        wanted = None if image is not None else read(question)
        if wanted is None or wanted.out_of_range():
            return None
        return evaluate(answer) == (Fraction(wanted.target), tuple(sorted(wanted.numbers)))

    def abstention_reason(self, question: str, image: Pixels | None) -> str | None:
        """Abstain from unknown conditions, numbers outside the training range, and targets that cannot be reached."""
        if image is not None:
            return "there is a picture with it, and I would not look at that"
        wanted = read(question)
        if wanted is None:
            return reason_unread(question)
        if reason := wanted.out_of_range():
            return reason
        return (
            None
            if wanted.is_solvable()
            else f"nothing makes {wanted.target} of these numbers, each used once"
        )


_ARITHMETIC = re.compile(r"[0-9+*/() -]{0,200}")


def evaluate(expression: str) -> tuple[Fraction, tuple[int, ...]] | None:
    """Return the value of an expression of integers and + - * /, and its integers sorted; None for any other text."""
    if not _ARITHMETIC.fullmatch(expression):
        return None
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
        constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        return _value(tree), tuple(sorted(value for value in constants if isinstance(value, int)))
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
