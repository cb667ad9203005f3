"""One BLAS thread while the engine computes, whatever the process allows otherwise.

The engine's products are small. A second thread gains little on an idle machine; if another process wants the core, every product
waits until that thread is scheduled. The number of threads is a setting of the whole process, so steps that overlap in time share
one limit: the first of them sets it, the last restores what was set before.
"""

from __future__ import annotations

import functools
import threading
from types import TracebackType

from threadpoolctl import LibController, OpenBLASController, ThreadpoolController


class SingleBlasThread:
    """A context manager that limits BLAS to one thread; any number of threads may be inside at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._original: list[tuple[int, int]] = []
        """(index of the library, number of its threads) to restore; empty if nothing was changed."""

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                libraries = _blas_libraries()
                self._original = [
                    (i, n)
                    for i, each in enumerate(libraries)
                    if (n := each.get_num_threads() or 1) > 1
                ]
                for index, _ in self._original:
                    _set_threads(libraries[index], 1)
            self._inside += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                libraries = _blas_libraries()
                for index, threads in self._original:
                    _set_threads(libraries[index], threads)


single_blas_thread = SingleBlasThread()
"""The limit of this process."""


def _set_threads(library: LibController, threads: int) -> None:
    """Set the number of threads of a library from any thread of the process.

    threadpoolctl reserves OpenBLAS for the first thread that changes it; here steps move between threads, and the lock above orders
    the changes. So the reservation is cleared before and after.
    """
    if isinstance(library, OpenBLASController):
        library.clear_controlling_thread(force=True)
        library.set_num_threads(threads)
        library.clear_controlling_thread(force=True)
    else:
        library.set_num_threads(threads)


@functools.cache
def _blas_libraries() -> list[LibController]:
    """Controllers of the BLAS libraries that are loaded when the engine takes its first step, NumPy's among them."""
    controllers: list[LibController] = (
        ThreadpoolController().select(user_api="blas").lib_controllers
    )
    return controllers
