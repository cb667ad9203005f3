"""Read Countdown questions: the numbers, the target, and whether the question says anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from musespark.nano.tasks.wording import Phrasings, normalise, unread_reason

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
"""Phrasings used in training."""
_OTHERS = (
    "Make {target} with {numbers}", "Make {target} using {numbers}", "Make {target} out of {numbers}",
    "Make {target} from the numbers {numbers}", "Make {target} out of the numbers {numbers}",
    "Make {target} with the numbers {numbers}", "Reach {target} with {numbers}", "Get {target} from {numbers}",
    "Get {target} using {numbers}", "How do I get {target} from {numbers}", "How can I get {target} from {numbers}",
    "How can I get {target} using {numbers}", "Can you make {target} from {numbers}", "Can you make {target} with {numbers}",
    "Can you make {target} using {numbers}", "{numbers}: can you make {target}", "Use these numbers to make {target}: {numbers}",
    "Use the numbers {numbers} to make {target}", "Find an arithmetic expression using {numbers} that evaluates to {target}",
    "Find an expression using {numbers} that equals {target}", "Numbers = {numbers}; target = {target}",
    "Numbers: [{numbers}] target: {target}", "Target: {target} numbers: {numbers}",
    "The target is {target}. The numbers are {numbers}", "{numbers} -> {target}", "Countdown: {numbers} -> {target}",
    "Use all of {numbers} to make {target}", "Use {numbers} to make {target}, each exactly once",
    "Use {numbers} to make {target}. Use each number exactly once", "Make {target} from {numbers}, each exactly once",
    "Use {numbers} to reach {target}", "Use {numbers} to get {target}",
)  # fmt: skip
"""Other phrasings with the same meaning and no other."""
_NUMBER = r"[-+\u2212\u2013]?[0-9]+(?:\.[0-9]+)?"
_LIST = rf"{_NUMBER}(?:(?: ?[,;&] ?(?:and )?| and | ){_NUMBER})+"
PHRASINGS = Phrasings(
    (*QUESTIONS, *_OTHERS), {"numbers": _LIST, "listed": _LIST, "target": _NUMBER}
)
COUNTS, LEAST, MOST, LEAST_TARGET, MOST_TARGET = (3, 4), 1, 99, 10, 100
"""Training range: the count of numbers, the smallest and largest number, the smallest and largest target."""


@dataclass(frozen=True)
class CountdownQuestion:
    """The problem in a question, its numbers as they are written."""

    written: tuple[str, ...]
    written_target: str

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers; valid only if `out_of_range` is None."""
        return tuple(map(int, self.written))

    @property
    def target(self) -> int:
        """The target; valid only if `out_of_range` is None."""
        return int(self.written_target)

    def out_of_range(self) -> str | None:
        """Reason why the numbers are outside the training range, as a clause; None if they are inside."""
        odd = [
            number
            for number in (*self.written, self.written_target)
            if not re.fullmatch(r"[1-9][0-9]{0,5}|0", number)
        ]
        if odd:
            return f"{odd[0]} is not a whole number without a sign"
        if len(self.written) not in COUNTS:
            return f"it has {len(self.written)} numbers"
        if far := [number for number in self.numbers if not LEAST <= number <= MOST]:
            return f"the number {far[0]} is not from {LEAST} to {MOST}"
        if not LEAST_TARGET <= self.target <= MOST_TARGET:
            return f"the target {self.target} is not from {LEAST_TARGET} to {MOST_TARGET}"
        return None

    def is_solvable(self) -> bool:
        """True if an expression of all the numbers makes the target, fractions on the way allowed."""
        return reaches(tuple(sorted(map(Fraction, self.numbers))), self.target)


def read(question: str) -> CountdownQuestion | None:
    """Return the problem in a question; None if the question is not, as a whole, a known phrasing."""
    found = PHRASINGS.read(question)
    if found is None:
        return None
    numbers = next(text for name, text in found.items() if name != "target")
    return CountdownQuestion(tuple(re.findall(_NUMBER, numbers)), found["target"])


def reason_unread(question: str) -> str | None:
    """Return the reason to abstain from a question that was not understood, as a clause; None if it is only phrased unusually."""
    text = normalise(question)
    if words := PHRASINGS.unknown_words(text):
        return unread_reason(words)
    lists = re.findall(_LIST, text)
    alone = re.findall(_NUMBER, re.sub(_LIST, " ", text))
    if len(lists) != 1 or len(alone) != 1:
        return "I cannot tell which number is the target and which are to be used"
    if re.search(
        r"[^\w\s.,;:?!&()\[\]'\"=>-]", text.replace("+ - * /", "").replace("+, -, *, /", "")
    ):
        return "it has signs that may be a condition that I do not know"
    return None


@lru_cache(maxsize=256)
def reaches(numbers: tuple[Fraction, ...], target: int) -> bool:
    """Return True if the numbers, each used once with + - * /, make the target, by exhaustive search."""
    if len(numbers) == 1:
        return numbers[0] == target
    for i, j in combinations(range(len(numbers)), 2):
        rest = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
        a, b = numbers[i], numbers[j]
        values = {a + b, a - b, b - a, a * b, *([a / b] if b else []), *([b / a] if a else [])}
        if any(reaches(tuple(sorted((*rest, value))), target) for value in values):
            return True
    return False
