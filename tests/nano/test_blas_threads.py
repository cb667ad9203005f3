"""The engine's limit of BLAS threads: shared by steps that overlap, and gone after the last of them."""

import threading

import numpy as np
import pytest
from networks import SMALL, random_weights
from threadpoolctl import ThreadpoolController

from musespark.nano import blas_threads
from musespark.nano.blas_threads import SingleBlasThread
from musespark.nano.decode_session import StepInput
from musespark.nano.network import NumpyNetwork


class Library:
    """A BLAS library that keeps the history of its settings."""

    def __init__(self, threads: int) -> None:
        self.threads, self.history = threads, []

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads
        self.history.append(threads)


@pytest.fixture
def libraries(monkeypatch):
    """A library with 8 threads, and one with a single thread."""
    found = [Library(8), Library(1)]
    monkeypatch.setattr(blas_threads, "_blas_libraries", lambda: found)
    return found


def test_the_last_step_that_ends_restores_the_threads(libraries):
    limit = SingleBlasThread()
    with limit:
        with limit:
            assert libraries[0].threads == 1
        assert libraries[0].threads == 1, "the outer step still computes"
    assert libraries[0].history == [1, 8] and libraries[1].history == []


def test_a_step_that_fails_restores_the_threads(libraries):
    with pytest.raises(ValueError), SingleBlasThread():
        raise ValueError
    assert libraries[0].threads == 8


def test_steps_of_several_threads_share_the_limit(libraries):
    limit, entered, leave = SingleBlasThread(), threading.Event(), threading.Event()

    def step():
        with limit:
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=step)
    other.start()
    assert entered.wait(10)
    with limit:
        pass
    assert libraries[0].threads == 1, "the other thread still computes"
    leave.set()
    other.join()
    assert libraries[0].history == [1, 8]


def test_the_engine_computes_with_one_thread_and_leaves_no_trace(monkeypatch):
    blas = ThreadpoolController().select(user_api="blas").lib_controllers
    if not blas:
        pytest.skip("NumPy uses a BLAS library that has no threads to limit")
    before, inside = blas[0].get_num_threads(), []
    network = NumpyNetwork(SMALL, random_weights(SMALL))
    forward = network.forward

    def watched(*arguments):
        inside.append(blas[0].get_num_threads())
        return forward(*arguments)

    monkeypatch.setattr(network, "forward", watched)
    session = network.new_session()

    def step():
        assert np.isfinite(session.step([StepInput(session.open(), [30, 31])])).all()

    step()
    other = threading.Thread(target=step)
    other.start()
    other.join()
    assert inside == [1, 1] and blas[0].get_num_threads() == before
