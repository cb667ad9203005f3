"""The servers of the peers: started on loopback, and stopped whatever happens."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator

PATIENCE = 60.0
"""Seconds that a server may take to listen."""


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(process: subprocess.Popen[bytes], port: int) -> Iterator[None]:
    """Until the block ends; it begins when the server listens. Raises RuntimeError where it does not."""
    try:
        deadline = time.monotonic() + PATIENCE
        while not listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args[0]} did not start; its log says why")  # type: ignore[index]
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listening(port: int) -> bool:
    """True if a connection is taken."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
