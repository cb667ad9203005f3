"""The real model under test, loaded once for a file of tests."""

import pytest
from models.local.smollm2 import SMALL

from musespark.models.local.engine import ENGINES
from musespark.models.local.gguf_model import GGUFModel


@pytest.fixture(scope="module")
def model():
    """The model, loaded for all tests of this file."""
    made = GGUFModel("smollm2", SMALL)
    ENGINES.acquire(made.engine_options)
    yield made
    ENGINES.release(made.engine_options)


@pytest.fixture
def running(model):
    """The engine of the model."""
    yield ENGINES.acquire(model.engine_options)
    ENGINES.release(model.engine_options)
