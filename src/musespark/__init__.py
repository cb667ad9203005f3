"""Muse Spark, open: a team of agents thinks about a question and agrees on one answer.

    answer = await musespark.ask("Use 25, 3, 7 and 12 to make 66.", mode="contemplating")
    print(answer, answer.verified, answer.usage.critical_path)

Names are loaded when they are first used, so that importing the package costs next to nothing.

The modules, from the entry points down: `cli/` the command line; `server/` HTTP and the
page; `evals/` measurements; `api.py` questions from Python, with `api_options.py` the checks of
their arguments; `reasoning/` agents, teams and their agreement; `tools/` and `vision/` abilities of
agents; `models/` backends; `nano/` the native model;
`store/` runs, keys and votes; `telemetry/` spans; `trace.py` runs as folders; `answer.py` the
answer of a run; `images.py` pixels and files; `events.py`, and `event_json.py` their values as
JSON; `content/` messages and requests; `budget.py` limits; `usage.py` tokens and money; `config/`
the configuration file; `option_schema.py` ranges and help of all options; `sampling.py` options
that some models know; `errors.py`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musespark.answer import Answer
    from musespark.api import ask, ask_sync, stream
    from musespark.budget import Budget, Limits
    from musespark.errors import MuseError

__all__ = ["Answer", "Budget", "Limits", "MuseError", "ask", "ask_sync", "stream"]
__version__ = "0.1.0"

_HOME = {
    "Answer": "musespark.answer",
    "Budget": "musespark.budget",
    "Limits": "musespark.budget",
    "MuseError": "musespark.errors",
    "ask": "musespark.api",
    "ask_sync": "musespark.api",
    "stream": "musespark.api",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module it lives in (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'musespark' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
