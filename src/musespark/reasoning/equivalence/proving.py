"""The process behind `Prover`: reads a JSON pair a line, writes true or false a line, and ends when nobody asks any more."""

from __future__ import annotations

import json
import logging
import resource
import select
import sys
from functools import lru_cache
from typing import Any

BYTES = 2 << 30
"""Of address space."""
IDLE = 120.0
"""Seconds without a question after which the process ends; the next question starts another."""


@lru_cache(4096)
def expression(text: str) -> Any:
    """What math-verify reads in a text, as it is and as TeX."""
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

    targets = (LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig())
    plain = text.strip().strip("$")
    return parse(f"${plain}$", targets, parsing_timeout=None) or parse(plain, targets, parsing_timeout=None)


def same(left: str, right: str) -> bool:
    """Whether either text proves to be the other."""
    from math_verify import verify

    one, other = expression(left), expression(right)
    return bool(verify(one, other, timeout_seconds=None) or verify(other, one, timeout_seconds=None))


def main() -> None:
    """Answer until the input ends or stays silent."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    logging.disable()
    while select.select([sys.stdin], [], [], IDLE)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        pair = json.loads(line)
        try:
            answer = same(*pair) if pair else expression("1") is not None
        except Exception:  # whatever SymPy raises on what a model wrote: it has proved nothing
            answer = False
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
