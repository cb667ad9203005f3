"""Processes of `muse` on a terminal of their own."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import musespark

MUSE = [sys.executable, "-m", "musespark"]
SOURCES = str(Path(musespark.__file__).parents[1])
PATIENCE = 60
"""Seconds; a busy machine may take its time, a hanging process must not."""
_CODES = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, environment, *args: str, columns: int = 80, rows: int = 24) -> None:
        self._master, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [*MUSE, *args],
            env=environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            preexec_fn=lambda: own_terminal(terminal),
        )
        os.close(terminal)
        self.seen = ""
        self._shown = 0

    def read(self, until: str = "") -> str:
        """Everything up to a text, or to the end."""
        ends = time.monotonic() + PATIENCE
        while not until or until not in self.seen:
            assert time.monotonic() < ends, self.seen
            if not select.select([self._master], [], [], 0.1)[0]:
                continue
            try:
                self.seen += os.read(self._master, 65536).decode(errors="replace")
            except OSError:  # how Linux says that the other end is closed
                break
        return self.seen

    def read_next(self, text: str) -> None:
        """Everything up to a text that follows the one that was read last; control codes are left out."""
        ends = time.monotonic() + PATIENCE
        while (at := _CODES.sub("", self.seen).find(text, self._shown)) < 0:
            assert time.monotonic() < ends, self.seen
            if select.select([self._master], [], [], 0.1)[0]:
                self.seen += os.read(self._master, 65536).decode(errors="replace")
        self._shown = at + len(text)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def close(self) -> int:
        self.process.wait(timeout=PATIENCE)
        os.close(self._master)
        return self.process.returncode


def own_terminal(terminal: int) -> None:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
