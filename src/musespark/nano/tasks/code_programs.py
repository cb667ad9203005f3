"""Random short Python programs like a beginner's, without two equal lines."""

from __future__ import annotations

import random
from collections.abc import Callable

from musespark.nano.tasks.code_steps import Execution, UnsupportedProgram, execute

LONGEST = 96
"""Most characters of a program."""
LINES = (2, 9)
"""Fewest and most lines of a program."""
LONGEST_THOUGHT = 260
"""Most characters of all steps of a program."""

_LETTERS = "a b c d e f g h k m n p q r s t u v w x y z".split()
_WORDS = (
    "total count result value num number score sum_ price size left right step best age cost points low high "
    "first second answer rest width height area speed days year temp money coins apples items_left out acc res tmp val"
).split()
_LISTS = "nums items a xs values data numbers lst scores ages prices arr l sizes parts".split()
_INDEXES = "i j k n x".split()
_SAYINGS = "yes no even odd big small hi ok done low high more less same hot cold".split()


def draw_program(rng: random.Random) -> tuple[str, Execution]:
    """Draw a program within the grammar and its limits; return it with its execution."""
    while True:
        source = _Draft(rng).write()
        lines = [line.strip() for line in source.splitlines()]
        if (
            len(source) > LONGEST
            or not LINES[0] <= len(lines) <= LINES[1]
            or len(set(lines)) < len(lines)
        ):
            continue
        try:
            done = execute(source)
        except UnsupportedProgram:
            continue
        thought = sum(map(len, done.steps)) + len(done.steps)
        if thought <= LONGEST_THOUGHT and 0 < len(done.printed) <= 24:
            return source, done


class _Draft:
    """A program while it is written: its style, its variables, its lines."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.tight = rng.random() < 0.3
        self.indent = " " * (4 if rng.random() < 0.8 else 2)
        self.names = rng.sample(_LETTERS, 5) if rng.random() < 0.85 else rng.sample(_WORDS, 5)
        self.list_names = rng.sample(_LISTS, 2)
        self.numbers: list[str] = []
        self.lists: list[str] = []
        self.counter = ""
        """The loop variable, inside a loop: it is read but not set."""
        self.top = 12 if rng.random() < 0.8 else 50
        self.lines: list[str] = []

    def write(self) -> str:
        rng = self.rng
        plan = rng.choices(
            ("plain", "if", "for", "while", "list", "both"), (20, 18, 25, 12, 27, 8)
        )[0]
        if plan == "list" or rng.random() < 0.06:
            self._new_list()
        for _ in range(rng.choices((0, 1, 2, 3), (1 if plan == "list" else 0, 5, 4, 1))[0]):
            self._new_number()
        if plan == "plain":
            self._some(self._statement, 1, 4)
        if plan == "if":
            self._some(self._statement, 0, 2)
            self._if(0)
        if plan in ("for", "both"):
            self._for()
        if plan == "while":
            self._while()
        if plan == "list":
            self._list_work()
        if plan == "both" and rng.random() < 0.5:
            self._if(0)
        if rng.random() < 0.2:
            self._statement(0)
        self._print()
        return "\n".join(self.lines)

    def _some(self, write: Callable[[int], None], least: int, most: int) -> None:
        for _ in range(self.rng.randint(least, most)):
            write(0)

    def _put(self, depth: int, line: str) -> None:
        """Add a line written with PEP 8's spaces; the tight style leaves them out."""
        if self.tight:
            for sign in (
                "+",
                "-",
                "*",
                "//",
                "%",
                "<",
                "<=",
                ">",
                ">=",
                "==",
                "!=",
                "=",
                "+=",
                "-=",
                "*=",
                "//=",
                "%=",
            ):
                line = line.replace(f" {sign} ", sign)
            line = line.replace(", ", ",")
        self.lines.append(self.indent * depth + line)

    def _small(self) -> int:
        return self.rng.randint(1, 9) if self.rng.random() < 0.75 else self.rng.randint(0, self.top)

    def _new_number(self) -> str:
        free = [name for name in self.names if name not in self.numbers]
        if not free:
            return self.rng.choice(self.numbers)
        name = free[0]
        value = (
            self.rng.randint(0, self.top) if self.rng.random() < 0.95 else -self.rng.randint(1, 9)
        )
        self._put(0, f"{name} = {value}")
        self.numbers.append(name)
        return name

    def _new_list(self) -> str:
        name = self.list_names[len(self.lists) % 2]
        length = self.rng.choices((0, 2, 3, 4, 5), (1, 3, 5, 4, 1))[0]
        self._put(0, f"{name} = [{', '.join(str(self._small()) for _ in range(length))}]")
        self.lists.append(name)
        return name

    def _atom(self, constant: float = 0.4) -> str:
        rng = self.rng
        if self.counter and rng.random() < 0.35:
            return self.counter
        if self.lists and rng.random() < 0.25:
            return self._of_list()
        if self.numbers and rng.random() > constant:
            return rng.choice(self.numbers)
        return str(self._small())

    def _other(self, than: str, constant: float) -> str:
        """Return an atom unlike another, so that few programs say x - x."""
        atoms = (self._atom(constant) for _ in range(3))
        return next((atom for atom in atoms if atom != than), str(self._small()))

    def _of_list(self) -> str:
        name = self.rng.choice(self.lists)
        kind = self.rng.choices(("at", "len", "sum", "max", "min", "last"), (6, 3, 3, 1, 1, 1))[0]
        if kind == "at":
            index = self.counter or str(self.rng.randint(0, 3))
            return f"{name}[{index}]"
        return f"{name}[-1]" if kind == "last" else f"{kind}({name})"

    def _expression(self, first: str | None = None) -> str:
        rng = self.rng
        sign = rng.choices(("+", "-", "*", "//", "%"), (10, 8, 6, 2, 3))[0]
        left = first or self._atom(0.15)
        right = str(rng.randint(2, 9)) if sign in ("//", "%") else self._other(left, 0.4)
        if sign == "*" and rng.random() < 0.6:
            right = str(rng.randint(2, 5))
        whole = f"{left} {sign} {right}"
        if rng.random() < 0.2:
            other = rng.choices(("+", "-", "*"), (4, 3, 2))[0]
            if other == "*" and sign in "+-":
                return (
                    f"({whole}) * {rng.randint(2, 5)}"
                    if rng.random() < 0.6
                    else f"{left} {sign} {right} * {self._atom()}"
                )
            return f"{whole} {other} {self._atom()}"
        return whole

    def _statement(self, depth: int) -> None:
        rng = self.rng
        kind = rng.choices(("augment", "set", "new", "swap", "copy"), (8, 8, 4, 1.5, 1))[0]
        if not self.numbers or (kind == "new" and depth == 0 and len(self.numbers) < 4):
            if not self.numbers:
                self._new_number()
                return
            expression = self._expression()
            name = next(name for name in self.names if name not in self.numbers)
            self.numbers.append(name)
            self._put(depth, f"{name} = {expression}")
        elif kind == "swap" and len(self.numbers) > 1:
            first, second = rng.sample(self.numbers, 2)
            right = rng.choice((first, f"{first} + {second}", f"{first} - {second}"))
            self._put(depth, f"{first}, {second} = {second}, {right}")
        elif kind == "copy" and len(self.numbers) > 1:
            first, second = rng.sample(self.numbers, 2)
            self._put(depth, f"{first} = {second}")
        elif kind == "augment":
            sign = rng.choices(("+", "-", "*", "//", "%"), (10, 6, 4, 1.5, 1.5))[0]
            name = rng.choice(self.numbers)
            right = str(rng.randint(2, 5)) if sign not in "+-" else self._other(name, 0.4)
            if sign in "+-" and rng.random() < 0.2:
                right = self._expression()
            self._put(depth, f"{name} {sign}= {right}")
        else:
            name = rng.choice(self.numbers)
            self._put(depth, f"{name} = {self._expression(name if rng.random() < 0.6 else None)}")

    def _condition(self) -> str:
        rng = self.rng
        left = self._atom(0)
        if rng.random() < 0.35:
            return f"{left} % {rng.choice((2, 2, 2, 3, 3, 4, 5))} == {rng.choice((0, 0, 0, 1))}"
        sign = rng.choices(("<", ">", "<=", ">=", "==", "!="), (6, 8, 3, 3, 3, 2))[0]
        if rng.random() < 0.15:
            left = self._expression()
        return f"{left} {sign} {self._other(left, 0.7)}"

    def _if(self, depth: int) -> None:
        rng = self.rng
        self._put(depth, f"if {self._condition()}:")
        if depth == 0 and rng.random() < 0.3:
            yes, no = rng.sample(_SAYINGS, 2)
            quote = rng.choice('""\'')
            self._put(1, f"print({quote}{yes}{quote})")
            if rng.random() < 0.8:
                self._put(0, "else:")
                self._put(1, f"print({quote}{no}{quote})")
            return
        self._statement(depth + 1)
        roll = rng.random()
        if roll < 0.12:
            self._put(depth, f"elif {self._condition()}:")
            self._statement(depth + 1)
        if roll < 0.6:
            self._put(depth, "else:")
            self._statement(depth + 1)

    def _body(self) -> None:
        """Write the body of a loop: one to three statements, perhaps one of them in an `if`."""
        rng = self.rng
        if rng.random() < 0.3:
            self._if(1)
        if rng.random() < 0.12 and self.lists:
            self._append(1)
        if rng.random() < 0.08:
            self._put(1, f"print({self._atom(0) if rng.random() < 0.5 else self._expression()})")
        while self.lines[-1].endswith(":") or rng.random() < 0.25:
            self._statement(1)

    def _for(self, over: str | None = None) -> None:
        rng = self.rng
        if not self.numbers:
            self._new_number()
        counter = next(
            name for name in rng.sample(_INDEXES, 5) if name not in self.numbers + self.names
        )
        if over is None:
            turns = rng.randint(2, 5)
            start = rng.choice((1, 1, 1, 2, 3, rng.randint(0, 9)))
            step = rng.choice((2, 2, 3))
            over = rng.choices(
                (
                    f"range({turns})",
                    f"range({start}, {start + turns})",
                    f"range({start}, {start + turns * step - rng.randint(0, step - 1)}, {step})",
                    f"range({turns}, 0, -1)",
                    f"range({rng.choice(self.numbers)})",
                    f"[{', '.join(str(self._small()) for _ in range(rng.randint(2, 4)))}]",
                ),
                (10, 7, 2, 1, 2, 3),
            )[0]
        self._put(0, f"for {counter} in {over}:")
        self.counter, kept = counter, self.numbers
        if (
            over.startswith("range(") and over[6:-1] in kept and len(kept) > 1
        ):  # most loops do not change their bound
            self.numbers = [name for name in kept if name != over[6:-1]]
        self._body()
        self.counter, self.numbers = "", kept

    def _while(self) -> None:
        rng = self.rng
        name = self.numbers[0] if self.numbers and rng.random() < 0.7 else self._new_number()
        down = rng.random() < 0.45
        bound = (
            rng.choice([str(rng.randint(0, 40)), *self.numbers[1:2]])
            if not down
            else str(rng.randint(0, 5))
        )
        self._put(
            0,
            f"while {name} {rng.choice(('>', '>', '>=', '!=') if down else ('<', '<', '<='))} {bound}:",
        )
        move = (
            f"{name} -= {rng.randint(1, 5)}",
            f"{name} = {name} - {rng.randint(1, 5)}",
            f"{name} //= {rng.randint(2, 3)}",
        )
        climb = (
            f"{name} += {rng.randint(1, 9)}",
            f"{name} = {name} + {rng.randint(1, 9)}",
            f"{name} *= {rng.randint(2, 3)}",
            f"{name} = {name} * 2",
        )
        mine = rng.choice(move if down else climb)
        before = rng.random() < 0.5
        if not before:
            self._put(1, mine)
        if len(self.numbers) > 1 or rng.random() < 0.3:
            kept, self.numbers = (
                self.numbers,
                [each for each in self.numbers if each != name] or self.numbers,
            )
            self._if(1) if rng.random() < 0.2 else self._statement(1)
            self.numbers = kept + [each for each in self.numbers if each not in kept]
        if before:
            self._put(1, mine)

    def _append(self, depth: int) -> None:
        item = self._atom(0.4) if self.rng.random() < 0.6 else self._expression()
        self._put(depth, f"{self.rng.choice(self.lists)}.append({item})")

    def _list_work(self) -> None:
        rng = self.rng
        for _ in range(rng.randint(0, 2)):
            if rng.random() < 0.55:
                self._append(0)
            elif rng.random() < 0.5:
                self._put(
                    0,
                    f"{self.lists[0]}[{rng.randint(0, 2)}] = {self._atom() if rng.random() < 0.5 else self._expression()}",
                )
            else:
                self._statement(0)
        roll = rng.random()
        if roll < 0.4:
            name = rng.choice(self.lists)
            kept, self.lists = self.lists, []  # a list must not grow while a loop iterates over it
            self._for(name)
            self.lists = kept
        elif roll < 0.6:
            self._for()
        elif roll < 0.72:
            self._if(0)

    def _print(self) -> None:
        rng = self.rng
        if self.lines[-1].strip().startswith("print(") and not rng.random() < 0.2:
            return
        for _ in range(rng.choices((1, 2), (8, 1.5))[0]):
            roll = rng.random()
            if self.lists and roll < 0.3:
                what = rng.choice(self.lists) if roll < 0.15 else self._of_list()
            elif self.numbers and roll < 0.72:
                what = self.numbers[-1] if rng.random() < 0.5 else rng.choice(self.numbers)
            elif self.numbers and roll < 0.82:
                what = f"{rng.choice(self.numbers)}, {self._atom(0.1)}"
            elif roll < 0.84:
                what = f'"{rng.choice(_SAYINGS)}", {self._atom(0)}'
            else:
                what = self._expression()
            self._put(0, f"print({what})")
