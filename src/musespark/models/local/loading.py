"""Around llama.cpp's start: the memory it will need, the signals it takes over, and the socket it insists on.

xllamacpp's `Server` always listens. Here that is a Unix socket in a directory of this user alone, which also carries the saving and
restoring of a slot's state; where there are none, a port of 127.0.0.1 behind a random key.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SIGACTION_BYTES = 512
"""More than `struct sigaction` has on any platform."""
_TIMEOUT = 60.0
"""Seconds for one request over the socket."""


def available_memory() -> int | None:
    """Bytes of memory that programs can still be given; None if the platform does not say."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return None
    except (OSError, ValueError):
        return None


def default_threads() -> int:
    """Number of threads that decode: half of this process's cores. On a core that another program uses too, the threads of one
    product wait for each other, and more of them are slower."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this platform
        cores = os.cpu_count() or 1
    return max(1, cores // 2)


@contextmanager
def kept_signals() -> Iterator[None]:
    """Restore the handlers of SIGINT and SIGTERM at the end of the block: llama.cpp's server installs its own, which end it.

    `signal.signal` would only do in the main thread, and models are loaded in others.
    """
    if sys.platform == "win32":
        yield
        return
    sigaction = ctypes.CDLL(None).sigaction
    kept = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        kept[number] = ctypes.create_string_buffer(_SIGACTION_BYTES)
        sigaction(int(number), None, kept[number])
    try:
        yield
    finally:
        for number, action in kept.items():
            sigaction(int(number), action, None)


class PrivateSocket:
    """The address at which llama.cpp's server listens, for this process alone."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="muse-gguf-"))
        """Directory of this user alone, for the socket and for states of slots."""
        self._removal = weakref.finalize(self, shutil.rmtree, self.directory, ignore_errors=True)
        self._is_unix = hasattr(socket, "AF_UNIX")
        self._key = secrets.token_urlsafe(32)

    def configure(self, params: Any) -> None:
        """Set the address in xllamacpp's parameters."""
        params.ui = False
        params.n_threads_http = 1
        params.slot_save_path = f"{self.directory}{os.sep}"
        if self._is_unix:
            params.hostnames = [str(self.directory / "llama.sock")]
        else:
            params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [self._key]

    def post(self, address: str, path: str, body: Mapping[str, Any]) -> bool:
        """Send a request to the server that listens at an address. Returns true if it was carried out."""
        connection = (
            _UnixConnection(self.directory / "llama.sock")
            if self._is_unix
            else http.client.HTTPConnection(address.rpartition("/")[2], timeout=_TIMEOUT)
        )
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            response.read()
            return response.status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def remove(self) -> None:
        """Remove the directory and all that is in it; happens at the latest when the process ends."""
        self._removal()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(str(self._path))
