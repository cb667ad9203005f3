"""Measure one peer; runs in the environment that the peer is installed in.

    python column.py peer_optillm http://127.0.0.1:PORT/v1 0.3 25 FOLDER

Prints one line of JSON: for each column the figures of every scenario.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from pathlib import Path

from scenarios import Upstream


def main() -> None:
    module, url, latency, hang, folder = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):  # what the peer prints
        found = importlib.import_module(module).columns(
            Upstream(url, float(latency), float(hang)), Path(folder)
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
