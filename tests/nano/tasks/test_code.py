"""The task of short Python programs: what the traces say is what Python does, and no question can do harm."""

from __future__ import annotations

import contextlib
import io
import random
import time

import pytest
from hypothesis import given, settings, strategies as st

from musespark.nano import vocabulary as v
from musespark.nano.tasks.code import Code, phrase_question
from musespark.nano.tasks.code_programs import LONGEST, LONGEST_THOUGHT, draw_program
from musespark.nano.tasks.code_reading import find_program
from musespark.nano.tasks.code_steps import UnsupportedProgram, execute
from musespark.nano.tasks.task import held_out
from musespark.nano.trace import begin_trace

task = Code()


def printed_by_python(source: str) -> str:
    """Run a program in real Python; only for programs that this package generated."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(source, {})  # noqa: S102
    return output.getvalue().rstrip("\n")


def trace_of(seed: int, mode: str) -> tuple[str, str]:
    """The right answer, and what the model learns to write after the mode's token."""
    rng = random.Random(seed)
    problem = task.generate(rng, False)
    trace, branch = begin_trace(problem.question, None)
    asked = len(trace)
    task.write_thought(problem, mode, branch.force(v.MODES[mode]), rng)
    (segment,) = trace.segments
    return problem.answer, v.decode(segment.tokens[asked + 1 :])


@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_a_run_by_hand_prints_what_python_prints(seed: int) -> None:
    source, done = draw_program(random.Random(seed))
    assert done.printed == printed_by_python(source)
    assert len(source) <= LONGEST
    assert sum(map(len, done.steps)) + len(done.steps) <= LONGEST_THOUGHT


@pytest.mark.parametrize("mode", ["thinking", "contemplating"])
def test_a_thought_is_lines_of_the_program_with_their_effects(mode: str) -> None:
    for seed in range(60):
        rng = random.Random(seed)
        problem = task.generate(rng, False)
        lines = [line.strip() for line in problem.facts["program"].splitlines()]
        answer, written = trace_of(seed, mode)
        assert written.startswith("<code>")
        assert written.endswith(f"<answer>{answer}<eos>")
        steps = written.removeprefix("<code>").split("<answer>")[0].split("\n")
        assert all(step.split("#")[0] in lines for step in steps)
        outputs = [step.split("#>")[1] for step in steps if "#>" in step]
        assert "\n".join(outputs) == answer
        assert task.is_right(problem, answer)


def test_the_written_steps_of_a_program() -> None:
    source = 'a = [4, 7]\nt = 0\nfor x in a:\n    if x % 2 == 0:\n        t += x * 2\n    else:\n        t -= 1\nprint("sum", t, len(a))'  # noqa: E501
    assert execute(source).steps == [
        "a = [4, 7]#a=[4,7]",
        "t = 0#t=0",
        "for x in a:#[4,7]#x=4",
        "if x % 2 == 0:#4%2==0#0==0#T",
        "t += x * 2#0+4*2#0+8#t=8",
        "for x in a:#[7]#x=7",
        "if x % 2 == 0:#7%2==0#1==0#F",
        "else:",
        "t -= 1#8-1#t=7",
        "for x in a:#[]#end",
        'print("sum", t, len(a))#sum,7,len([4,7])#>sum 7 2',
    ]


@pytest.mark.parametrize(
    "source",
    [
        "while 1 < 2:\n    x = 1",
        "x = y",
        "x = 9\nx = x ** 2",
        "import os",
        "print(1 / 2)",
        "a = [1]\nprint(a[3])",
        "x = [1]\nprint(x + 1)",
    ],
)
def test_what_leaves_the_grammar_is_unsuitable(source: str) -> None:
    with pytest.raises(UnsupportedProgram):
        execute(source)


def test_instant_writes_the_answer_alone() -> None:
    answer, written = trace_of(5, "instant")
    assert written == f"<code><answer>{answer}<eos>"


def test_the_sides_of_the_split_share_no_program() -> None:
    rng = random.Random(0)
    assert all(held_out(task.generate(rng, True).key) for _ in range(30))
    assert not any(held_out(task.generate(rng, False).key) for _ in range(300))


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_the_program_is_found_in_every_wording(seed: int) -> None:
    rng = random.Random(seed)
    source, _ = draw_program(rng)
    assert find_program(phrase_question(source, rng)) == source


def test_the_verifier_agrees_with_what_is_known() -> None:
    rng = random.Random(7)
    for _ in range(40):
        problem = task.generate(rng, True)
        assert task.verify(problem.question, None, problem.answer) is True
        assert task.verify(problem.question, None, problem.answer + "1") is False


@pytest.mark.parametrize(
    "program",
    [
        "while True: print(1)",
        "while True: pass\nprint(1)",
        "x = [0] * 10**9\nprint(len(x))",
        'x = "a"\nwhile True: x += x\nprint(x)',
        "print(9**9**9)",
        "import os\nprint(os.listdir('/'))",
        "print(__import__('os').listdir('/'))",
        "print(open('/etc/passwd').read())",
        "def f(n): return f(n + 1)\nprint(f(0))",
        "print(" + "-" * 3000 + "1)",
        "(" * 1500 + "print(1)" + ")" * 1500,
        "print(1 / 0)",
        "print('x' * 100000)",
        "print(input())",
        "\n".join(["print(1", *["x ="] * 38]),
        "print(1)\n" * 2000,
    ],
)
def test_hostile_programs_do_no_harm(program: str) -> None:
    before = time.monotonic()
    assert task.verify(f"What does this print?\n{program}", None, "1") is None
    assert time.monotonic() - before < 3


@pytest.mark.parametrize(
    "question",
    ["", "What is the capital of France?", "print", "Write a program that prints 3.", "print("],
)
def test_without_a_program_there_is_nothing_to_check(question: str) -> None:
    assert task.verify(question, None, "3") is None


def test_of_several_programs_the_first_is_taken_as_long_as_it_can_be() -> None:
    assert (
        find_program("print(1)\nprint(2)\nOr so:\nx = 3\nprint(x)\nprint(x)")
        == "print(1)\nprint(2)"
    )
    assert find_program("print(1)\nOr so:\n```\nprint(2)\n```") == "print(2)"
    assert find_program("What does `print(1)` print, and `print(2)`?") == "print(1)"


PROGRAM = "x = 5\ny = 3\nprint(x + y)"


@pytest.mark.parametrize("question", [
    f"What does this not print?\n{PROGRAM}", f"How many lines does this print?\n{PROGRAM}", f"```r\n{PROGRAM}\n```",
    f"What does this print?\n{PROGRAM}\nAnswer backwards.", f"What does this print?\n{PROGRAM}\nWhat is the output?\nAnd why?",
    f"What does this print?\n{PROGRAM}  # spell it out", f"What does this Python 2 program print?\n{PROGRAM}",
    f"What does this print?\n```\n{PROGRAM}\n```\n```\nprint(1)\n```", f"Is it true?\n{PROGRAM}", f"Why?\n\n{PROGRAM}",
    f"What does the second program print?\n{PROGRAM}\n\nprint(8)", f"What does this print?\n>>> {PROGRAM}",
])  # fmt: skip
def test_a_question_that_is_not_what_the_program_prints_is_never_confirmed(question: str) -> None:
    assert not task.verify(question, None, "8")


@pytest.mark.parametrize(
    "question",
    [
        PROGRAM,
        f"What does this print?\n{PROGRAM}",
        f"```python\n{PROGRAM}\n```\nWhat is the output?",
        f"Output?\n\n{PROGRAM}",
    ],
)
def test_a_program_and_one_phrasing_are_read(question: str) -> None:
    assert task.verify(question, None, "8") is True and task.verify(question, None, "9") is False
    assert task.abstention_reason(question, None) is None


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("print(1)", "1 line"),
        ("a = 1\n" * 9 + "print(a)", "10 lines"),
        ("s = 'x'\nprint(f'{s}')", "not learned"),
        ("a = 1  # one\nprint(a)", "comments"),
        ("a = 'long' + " + "'er' + " * 20 + "''\nprint(a)", "characters"),
        ("for i in range(9):\n    x = i\n    y = x\nprint(1)", "too many steps"),
    ],
)
def test_a_program_beyond_the_model_is_told_before_any_guess(source: str, reason: str) -> None:
    assert reason in (task.abstention_reason(f"What does this print?\n{source}", None) or "")
