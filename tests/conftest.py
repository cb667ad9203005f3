"""For all tests: machines are shared and noisy, so no example has a deadline; and nothing is kept in anybody's home.

`tiers.py` says which tests get the marks `browser`, `torch` and `slow`; `make check` leaves all three out.
"""

import gc
import os
import signal
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiers
from hypothesis import settings

settings.register_profile("shared", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("shared")

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files out that could not be imported here, for want of torch or playwright, or of which no test would be run."""
    if collection_path.suffix != ".py" or HERE not in collection_path.parents:
        return None
    needed = tiers.packages_needed(collection_path.read_text("utf-8"))
    if any(find_spec(package) is None for package in needed):
        return True
    is_test = collection_path.name.startswith("test_")
    expression = config.getoption("markexpr")
    return (
        True if is_test and tiers.excluded(collection_path.relative_to(HERE), expression) else None
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its file, its name, and what it imports itself."""
    for item in items:
        if HERE not in item.path.parents:
            continue
        function = item.function if isinstance(item, pytest.Function) else None
        for mark in tiers.marks(item.path.relative_to(HERE), function):
            item.add_marker(mark)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from looking again and again at modules and tests, which live to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


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
