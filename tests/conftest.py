"""For all tests: machines are shared and noisy, so no example has a deadline; and nothing is kept in anybody's home."""

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


@pytest.fixture(scope="session", autouse=True)
def data_home(tmp_path_factory):
    """Where servers under test keep their runs unless told otherwise."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield os.environ["XDG_DATA_HOME"]


@pytest.fixture(scope="session", autouse=True)
def signals_heard():
    """Ctrl-C and SIGTERM as a terminal's child has them: a background job or nohup has some ignored, and children inherit that."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
