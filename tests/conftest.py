"""For all tests: machines are shared and noisy, so no example has a deadline; and nothing is kept in anybody's home."""

import os

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
