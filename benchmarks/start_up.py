"""How long a person waits for the command line: the help, and the first event of an answer.

    python benchmarks/start_up.py [--runs 10] [--model nano]

Every figure is of a new process, from its start to the end of the help, or to the first line that `muse ask` prints of an agent.
The first run of all may find nothing in the disk's cache; the best and the median of the others are printed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LAKE = Path(__file__).parents[1] / "examples" / "lake.png"
MUSE = [sys.executable, "-m", "musespark"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--model", default="nano")
    options = parser.parse_args()
    asked = ["ask", "Use 25, 3, 7 and 12 to make 66.", "--model", options.model]
    measured: dict[str, Callable[[], float]] = {
        "python -c pass": lambda: whole([sys.executable, "-c", "pass"]),
        "muse --help": lambda: whole([*MUSE, "--help"]),
        "muse ask --help": lambda: whole([*MUSE, "ask", "--help"]),
        "first event": lambda: first_lines([*MUSE, *asked], 1),
        "first thought": lambda: first_lines([*MUSE, *asked], 2),
        "first thought about a picture": lambda: first_lines(
            [*MUSE, *asked, "--image", str(LAKE)], 2
        ),
    }
    print("                                best s  median s")
    for name, measure in measured.items():
        measure()
        seconds = [measure() for _ in range(options.runs)]
        print(f"{name:30} {min(seconds):7.3f} {statistics.median(seconds):9.3f}")


def whole(command: list[str]) -> float:
    """Seconds until a command has ended."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def first_lines(command: list[str], count: int) -> float:
    """Seconds until a command has printed so many lines; it is ended then."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(count):
            if not process.stdout.readline():
                raise SystemExit(f"{' '.join(command)} printed fewer than {count} lines")
        seconds = time.perf_counter() - began
        process.kill()
    return seconds


if __name__ == "__main__":
    main()
