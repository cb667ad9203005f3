"""The Python sandbox: supported code, error messages for the model, isolation."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from musespark.tools.python import MAX_SOURCE, PythonTool
from musespark.tools.tool import ToolOutput

MOST = 400


async def ran(code: object, **limits) -> ToolOutput:
    return await PythonTool(**{"seconds": 1.0, "megabytes": 48, "characters": MOST, **limits}).use(
        {"code": code}
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("print(6 * 7)", "42"),
        ("6 * 7", "Value of the last expression: 42"),
        ("print('one')\nprint('two')\n'three'", "one\ntwo\nValue of the last expression: 'three'"),
        ("x = 3", "It ran and printed nothing; print what you want to see."),
        ("import sys\nprint('to stderr', file=sys.stderr)", "to stderr"),
        ("eval('1 + 1') + 1", "Value of the last expression: 3"),
        ("exec('print(5)')", "5"),
        ("import time\nfor _ in range(50): time.sleep(100)\nprint('slept')", "slept"),
        ("print('\\ud800')", "\N{REPLACEMENT CHARACTER}"),
        ("import re\nprint(re.match(r'(a+)+$', 'a' * 40 + 'b'))", "None"),
    ],
)
async def test_what_a_snippet_prints_and_its_last_value_come_back(code, text):
    assert await ran(code) == ToolOutput(text)


@pytest.mark.parametrize(
    "code",
    [
        "def fib(n):\n    a, b = 0, 1\n    for _ in range(n): a, b = b, a + b\n    return a\nprint(fib(90))",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(1).x)",
        "class A:\n    def __init__(self): self.x = 1\nprint(A().x)",
        "import functools\n@functools.lru_cache(maxsize=None)\ndef f(n): return n if n < 2 else f(n - 1) + f(n - 2)\nprint(f(50))",
        "match [1, 2]:\n    case [a, b]: print(a, b)",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    print(error)",
        "async def f(): return 1\nprint(await f())",
        "print(sum(i for i in range(10)), f'{3.14159:.2f}')",
    ],
)
async def test_what_the_description_promises_works(code):
    output = await ran(code)
    assert not output.failed and output.text.strip()


@pytest.mark.parametrize(
    "code",
    [
        "In [1]: x = 6\nIn [2]: print(x * 7)",
        "In [1]: x = 6\nOut[1]: 6\nIn [2]: print(x * 7)\nOut[2]: 42",
        "In [1]: for each in [42]:\n   ...:     print(each)",
        "%matplotlib inline\n!pip install sympy\nprint(42)",
        "```python\n%%time\nprint(42)\n```",
        "print(int(“42”))",
        "x\u00a0=\u00a042\nprint(x)\u200b",
        "print(43 \u2212 1)",
    ],
)
async def test_a_snippet_from_a_notebook_or_a_web_page_runs(code):
    assert await ran(code) == ToolOutput("42")


async def test_a_snippet_that_is_right_keeps_its_characters():
    assert await ran("print('“\u2212\u00a0')") == ToolOutput("“\u2212\u00a0")
    assert await ran("x = 5\nprint(17\n%x)") == ToolOutput("2")  # and no command of a notebook


async def test_every_module_that_the_description_names_is_there_and_the_others_are_not():
    description = PythonTool().spec.description
    here, absent = (
        names.split(", ")
        for names in description.split("Modules: ")[1].split(").")[0].split("; no others (no ")
    )
    assert len(here) > 15 and len(absent) > 3
    assert await ran("\n".join(f"import {name}" for name in here)) == await ran("x = 1")
    for name in absent:
        output = await ran(f"import {name}")
        assert (
            output.failed
            and f"No module named '{name}'" in output.text
            and "Modules here: asyncio, " in output.text
        )


HOSTILE = {
    "endless loop": ("while True: pass", "TimeoutError"),
    "a loop that catches everything": (
        "while True:\n    try: [0] * 1000\n    except BaseException: pass",
        "TimeoutError",
    ),
    "one slow operation": ("import math\nprint(math.factorial(10 ** 7) % 7)", "1 seconds"),
    "memory bomb": ("a = [0]\nwhile True: a = a + a", "MemoryError"),
    "a bomb that catches everything": (
        "a = []\nwhile True:\n    try: a.append('x' * 1000)\n    except BaseException: pass",
        "MemoryError",
    ),
    "long string": ("'a' * 10 ** 10", "MemoryError"),
    "wide format": ("f'{1:>1000000000}'", "MemoryError"),
    "gigantic integer": ("10 ** 10 ** 8", "MemoryError"),
    "gigantic shift": ("1 << 10 ** 10", "MemoryError"),
    "too many digits": ("print(10 ** 5000)", "print so large an integer in parts"),
    "recursion bomb": ("def f(n): return f(n + 1)\nf(0)", "RecursionError"),
    "listing files": ("import os\nprint(os.listdir('/'))", "PermissionError"),
    "environment": ("import os\nprint(os.environ)", "not supported"),
    "one variable": ("import os\nprint(os.getenv('HOME'))", "not supported"),
    "system": ("import os\nos.system('ls')", "AttributeError"),
    "socket": ("import socket", "No module named 'socket'"),
    "subprocess": ("import subprocess", "No module named 'subprocess'"),
    "urllib": ("import urllib.request", "No module named 'urllib'"),
    "ctypes": ("import ctypes", "No module named 'ctypes'"),
    "reading a file": ("print(open('/etc/passwd').read())", "PermissionError"),
    "reading a path": (
        "from pathlib import Path\nprint(Path('/proc/self/environ').read_text())",
        "PermissionError",
    ),
    "many tries to read": (
        "for i in range(10 ** 6):\n    try: open(f'/proc/{i}/environ')\n    except OSError: pass",
        "RuntimeError",
    ),
    "__import__": ("__import__('os').system('ls')", "NameError"),
    "__builtins__": ("__builtins__", "NameError"),
    "subclasses": ("().__class__.__mro__[1].__subclasses__()", "AttributeError"),
    "getattr": ("getattr((), '__cl' + 'ass__')", "AttributeError"),
    "globals of a function": ("(lambda: 0).__globals__", "AttributeError"),
    "code of a function": ("(lambda: 0).__code__", "AttributeError"),
    "format string": ("'{0.__class__.__init__.__globals__}'.format(1)", "AttributeError"),
    "escape within eval": ('eval("().__class__.__base__")', "AttributeError"),
    "modules": ("import sys\nsys.modules", "AttributeError"),
    "compile": ("compile('1', '', 'eval')", "NameError"),
    "input": ("input()", "NameError"),
    "deep nesting": ("(" * 20_000 + ")" * 20_000, "too deeply nested"),
    "null bytes": ("print('a\0b')\0", "SyntaxError"),
    "surrogates": ("print('\ud800')", "SyntaxError"),
    "no Python": ("for x in\n  print(", "SyntaxError"),
    "SystemExit": ("raise SystemExit('bye')", "SystemExit: bye"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "source of a megabyte": ("x = 1\n" * 200_000, f"at most {MAX_SOURCE:,}"),
}


@pytest.mark.parametrize(("code", "said"), HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_snippet_is_a_failed_output_that_says_why(code, said):
    output = await ran(code)
    assert output.failed and said in output.text
    assert len(output.text) < 3_000 and "root:" not in output.text


async def test_a_value_that_cannot_be_shown_is_told():
    for code in ("10 ** 5000", "a = []\nfor _ in range(100_000): a = [a]\na"):
        output = await ran(code)
        assert not output.failed
        assert "too large or nested too deep" in output.text or "more characters" in output.text


async def test_output_is_cut_and_says_so_and_the_snippet_runs_on_to_its_end():
    output = await ran("for _ in range(1000): print('x' * 99)\nprint('the end')\n'y' * 1000")
    *printed, cut, value, value_cut = output.text.split("\n")
    assert not output.failed and printed == ["x" * 99] * (MOST // 100)
    assert cut == f"[cut: {100_008 - MOST:,} more characters; print less]"
    assert value == f"Value of the last expression: '{'y' * (MOST - 1)}"
    assert value_cut == f"[cut: {1002 - MOST} more characters; print less]"


async def test_an_endless_print_is_stopped():
    output = await ran("while True: print('x' * 1000)")
    assert (
        output.failed
        and "[cut: " in output.text
        and "TimeoutError" in output.text
        and len(output.text) < MOST + 300
    )


async def test_what_was_printed_before_an_error_comes_back_with_the_line_of_the_error():
    output = await ran("print('before')\nx = 1 / 0")
    assert output.failed and output.text.startswith("before\nTraceback") and "line 2" in output.text
    assert output.text.endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"code": None},
        {"code": 3},
        {"code": [1]},
        {"code": " \n"},
        {"text": "print(1)"},
    ],
)
async def test_arguments_that_hold_no_snippet(arguments):
    output = await PythonTool().use(arguments)
    assert output.failed and output.text.startswith("There is no snippet; ")


async def test_nothing_is_kept_from_one_use_to_the_next():
    tool = PythonTool()
    assert not (await tool.use({"code": "secret = 7"})).failed
    assert "name 'secret' is not defined" in (await tool.use({"code": "print(secret)"})).text


async def test_nothing_is_written(tmp_path):
    output = await ran(f"open({str(tmp_path / 'x')!r}, 'w').write('a')")
    assert output.failed and list(tmp_path.iterdir()) == []


async def test_the_event_loop_goes_on_while_a_snippet_runs():
    running = asyncio.create_task(ran("while True: pass"))
    turns = 0
    while not running.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert turns > 20 and "TimeoutError" in (await running).text


async def test_uses_run_side_by_side():
    outputs = await asyncio.gather(*(ran(f"print({number})") for number in range(6)))
    assert [output.text for output in outputs] == [str(number) for number in range(6)]


@pytest.mark.parametrize("after", [0.0, 0.01, 0.4])
async def test_a_cancelled_use_leaves_nothing_running(after):
    before = children()
    running = asyncio.create_task(ran("while True: pass", seconds=60.0))
    await asyncio.sleep(after)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for _ in range(200):
        if children() <= before:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the sandbox's process is still there")


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has ended meanwhile
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.add(int(stat.parent.name))
    return found


@pytest.mark.parametrize("binary", ["/nonexistent", "/etc/passwd", "/bin/true"])
async def test_a_sandbox_that_does_not_start_is_a_failed_output(monkeypatch, binary):
    monkeypatch.setenv("MONTY_BIN", binary)
    output = await ran("print(1)")
    assert output.failed and output.text.startswith("The sandbox ")


_PIECES = st.sampled_from(
    [
        "print(",
        ")",
        "x",
        "= 1\n",
        "for i in ",
        "range(9)",
        ":\n    ",
        "[",
        "]",
        "'",
        "\\",
        "\0",
        "\ud800",
        "1e9",
        "**",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.lists(_PIECES, max_size=20).map("".join))
def test_any_text_gives_an_output(code):
    output = asyncio.run(ran(code))
    assert isinstance(output, ToolOutput) and output.text and len(output.text) < 4_000
