"""`muse serve` in a process of its own, while programs are tried on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "clients"


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The address of `muse serve`, while it runs."""
    port = os.environ.get("MUSE_TEST_PORT", "0")
    command = [sys.executable, "-m", "musespark", "serve", "--port", port, "--store", "memory"]
    server = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()
    )
    assert server.stdout is not None
    try:
        said = iter(server.stdout)
        address = next(
            (found[0] for line in said if (found := re.search(r"http://127\.0\.0\.1:\d+", line))),
            None,
        )
        assert address is not None, "muse serve ended before it said where it listens"
        threading.Thread(target=lambda: list(said), daemon=True).start()
        yield address
    finally:
        server.terminate()
        server.wait(60)


def environment() -> dict[str, str]:
    """Programs of this environment first, no configuration of the person's own, and no hub."""
    offline = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(BUILD / "hub"),
        "NO_PROXY": "127.0.0.1",
        "XDG_CONFIG_HOME": str(BUILD / "config"),
        "XDG_DATA_HOME": str(BUILD / "data"),
        "COLUMNS": "120",
    }
    return {
        **os.environ,
        **offline,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
