"""For all tests: machines are shared and noisy, so no example has a deadline; and nothing is kept in anybody's home.

Marks are set here, from folders and imports, so that no test file has to repeat them: `browser`, `torch` and `slow`. `make check`
leaves all three out.
"""

import inspect
import os
import re
import signal
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

HERE = Path(__file__).parent
SLOW = (
    "benchmarks",
    "cli/test_process.py",
    "cli/commands/test_serve.py",
    "evals/test_grounding_rendering.py",
    "models/local/test_gguf_model.py",
    "models/test_nano.py",
    "nano/test_shipped.py",
    "nano/training",
    "server/http/test_hostile.py",
    "store/test_crash.py",
    "vision/test_video.py",
)
"""Folders and files whose tests start processes, draw from the native model at length, or try thousands of inputs."""
_IMPORTS = {
    "browser": re.compile(r"(?:from|import) (?:playwright|axe_playwright_python)\b"),
    "torch": re.compile(
        r"(?:from|import) (?:torch|musespark\.nano\.training\.(?:network|optimizer|train))\b"
        r"|(?:\w+ = )?pytest\.importorskip\(['\"](?:torch|transformers)['\"]\)"
    ),
}
_NEEDED = {
    "browser": re.compile(r"(?:from|import) playwright\b"),
    "torch": re.compile(r"(?:from|import) torch\b"),
}
"""Imports that fail where the package is missing, by mark; `importorskip` says so by itself."""
_PACKAGES = {"browser": "playwright", "torch": "torch"}


def _imports(text: str, found: Mapping[str, re.Pattern[str]], indented: bool = False) -> set[str]:
    """Marks whose imports stand in a text, at the beginning of a line or, indented, anywhere."""
    lines = [line.lstrip() if indented else line for line in text.splitlines()]
    return {mark for mark, imports in found.items() if any(imports.match(line) for line in lines)}


@cache
def _marks(path: Path) -> frozenset[str]:
    """Marks of every test in a file."""
    place = path.relative_to(HERE).as_posix()
    found = _imports(path.read_text("utf-8"), _IMPORTS)
    if place.startswith("page/"):
        found.add("browser")
    if any(place == slow or place.startswith(f"{slow}/") for slow in SLOW):
        found.add("slow")
    return frozenset(found)


@cache
def _own_marks(function: Callable[..., object]) -> set[str]:
    """Marks of a test by the imports within it."""
    return _imports(inspect.getsource(function), _IMPORTS, indented=True)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave files out that could not be imported here: they need torch or playwright, and there is none."""
    if collection_path.suffix != ".py" or HERE not in collection_path.parents:
        return None
    needed = _imports(collection_path.read_text("utf-8"), _NEEDED)
    return True if any(find_spec(_PACKAGES[mark]) is None for mark in needed) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its file, and by what it imports itself."""
    for item in items:
        if HERE not in item.path.parents:
            continue
        marks = set(_marks(item.path))
        if isinstance(item, pytest.Function):
            marks |= _own_marks(item.function)
        for mark in marks:
            item.add_marker(mark)


@pytest.fixture(scope="session", autouse=True)
def data_home(tmp_path_factory):
    """Directory in which servers under test keep their runs unless they are given another."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield os.environ["XDG_DATA_HOME"]


@pytest.fixture(scope="session", autouse=True)
def signals_heard():
    """Ctrl-C and SIGTERM as a terminal's child has them: a background job or nohup has some ignored, and children inherit that."""
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(
                number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            )
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
