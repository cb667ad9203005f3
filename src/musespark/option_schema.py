"""The options of a question: names, ranges, choices and help, each said once.

The configuration's rules and the options of `muse ask` are generated from it; a test holds the bodies of requests and the limits of
the page's form to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from musespark.content import MAX_THREADS, Effort, Mode
from musespark.errors import BadOption

OptionKind: TypeAlias = Literal["text", "texts", "integer", "number", "choice", "flag"]
MAX_TOKENS = 10**9
MAX_SEED = 2**63 - 1
MAX_AGENTS, MAX_ROUNDS = 64, 8
APPROACHES = ("plain", "varied", "answer only", "answer line", "step by step")
TOOLS = (
    *("python", "spawn", "look"),
    *("zoom", "rotate", "enhance", "measure", "mark", "compare", "sketch", "read", "find"),
)
QUESTION, MODEL, TEAM, LIMITS, OUTPUT = "Question", "Model", "Team", "Limits", "Output"
"""Headings of the help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """One option."""

    name: str
    """Name in Python, in a request body and in the configuration; on the command line with dashes."""
    kind: OptionKind
    help: str
    low: float | None = None
    """Smallest value; `None` for a number means greater than 0."""
    high: float | None = None
    choices: tuple[str, ...] = ()
    default: Any = None
    """Default of the command line; None leaves it to the configuration and the model."""
    flag: str | None = None
    """Name on the command line, if it differs."""
    metavar: str | None = None
    group: str = "Options"
    """Heading under which the help lists it."""
    short: str | None = None
    """Short form on the command line."""

    @property
    def command_line(self) -> str:
        """Name on the command line, with its dashes."""
        return self.flag or "--" + self.name.replace("_", "-")

    def require(self, option: str, value: Any) -> None:
        """Raise `BadOption`, under the name that the caller gave it, for a value that is not valid."""
        wrong = value
        if self.kind == "texts" and isinstance(value, list):
            wrong = next((item for item in value if not self.accepts([item])), value)
        if not self.accepts(value):
            raise BadOption(option, wrong, self.wanted, self.choices)

    @property
    def wanted(self) -> str:
        """A valid value in words, as error sentences say it."""
        match self.kind:
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "integer":
                return f"a whole number from {self.low:g} to {self.high:,}"
            case "number":
                if self.low is not None:
                    return f"a number from {self.low:g} to {self.high:g}"
                return "a number greater than 0" + (
                    f" and at most {self.high:g}" if self.high is not None else ""
                )
            case "texts":
                return f"one of {', '.join(self.choices)}" if self.choices else "a list of texts"
            case "flag":
                return "true or false"
            case "text":
                return "a text"

    def accepts(self, value: Any) -> bool:
        """True if the value is valid."""
        match self.kind:
            case "choice":
                return value in self.choices
            case "integer":
                return (
                    isinstance(value, int)
                    and not isinstance(value, bool)
                    and self._is_within(value)
                )
            case "number":
                return (
                    isinstance(value, int | float)
                    and not isinstance(value, bool)
                    and self._is_within(value)
                )
            case "texts":
                return (
                    isinstance(value, list)
                    and bool(value)
                    and all(isinstance(item, str) and item for item in value)
                    and (not self.choices or set(value) <= set(self.choices))
                )
            case "flag":
                return isinstance(value, bool)
            case "text":
                return isinstance(value, str) and bool(value.strip())

    def _is_within(self, value: float) -> bool:
        above = value > 0 if self.low is None else value >= self.low
        return above and (value <= self.high if self.high is not None else value < float("inf"))


def _spec(name: str, kind: OptionKind, help: str, **options: Any) -> tuple[str, OptionSpec]:
    return name, OptionSpec(name=name, kind=kind, help=help, **options)


QUESTION_OPTIONS: Mapping[str, OptionSpec] = dict(
    (
        _spec(
            "image",
            "texts",
            "An image; - reads standard input. Repeatable.",
            metavar="FILE",
            group=QUESTION,
            short="-i",
        ),
        _spec(
            "video",
            "texts",
            "A short video: sampled frames, or the whole if the model takes videos. Repeatable.",
            metavar="FILE",
            group=QUESTION,
        ),
        _spec(
            "mode",
            "choice",
            "instant answers, thinking reasons first, contemplating asks a team.",
            choices=tuple(Mode),
            default=Mode.CONTEMPLATING.value,
            metavar="MODE",
            group=MODEL,
        ),
        _spec(
            "model",
            "texts",
            "The model: nano, provider:name or a configured name; muse models lists them. "
            "Repeatable: a team mixes them.",
            metavar="NAME",
            group=MODEL,
            short="-m",
        ),
        _spec(
            "effort",
            "choice",
            f"Reasoning effort: {', '.join(Effort)}.",
            choices=tuple(Effort),
            metavar="EFFORT",
            group=MODEL,
        ),
        _spec(
            "temperature",
            "number",
            "Sampling temperature, 0 to 2; 0 is greedy.",
            low=0,
            high=2,
            metavar="NUMBER",
            group=MODEL,
        ),
        _spec(
            "seed",
            "integer",
            "The same seed gives the same answer, if the model supports seeds.",
            low=0,
            high=MAX_SEED,
            metavar="N",
            group=MODEL,
        ),
        _spec(
            "tools",
            "texts",
            "Tools that agents may use: python, spawn, look, or one of its tools: zoom, rotate, enhance, measure, "
            "mark, compare, sketch, read, find. Repeatable.",
            choices=TOOLS,
            metavar="TOOL",
            group=MODEL,
        ),
        _spec(
            "agents",
            "integer",
            f"Contemplating: maximum number of explorers, 1 to {MAX_AGENTS}; 8 by default.",
            low=1,
            high=MAX_AGENTS,
            metavar="N",
            group=TEAM,
        ),
        _spec(
            "first",
            "integer",
            "Explorers that start at once, 2 by default; more start while answers disagree.",
            low=1,
            high=MAX_AGENTS,
            metavar="N",
            group=TEAM,
        ),
        _spec(
            "rounds",
            "integer",
            f"Rounds of refinement if answers disagree, 0 to {MAX_ROUNDS}; 0 by default.",
            low=0,
            high=MAX_ROUNDS,
            metavar="N",
            group=TEAM,
        ),
        _spec(
            "approach",
            "choice",
            "Prompt of the explorers: plain, varied, answer only, answer line or step by step.",
            choices=APPROACHES,
            metavar="APPROACH",
            group=TEAM,
        ),
        _spec(
            "aggregate",
            "choice",
            "The way to one answer: auto, vote, weigh, judge or merge.",
            choices=("auto", "vote", "weigh", "judge", "merge"),
            metavar="WAY",
            group=TEAM,
        ),
        _spec("judge", "text", "The model that judges.", metavar="NAME", group=TEAM),
        _spec("refiner", "text", "The model that refines.", metavar="NAME", group=TEAM),
        _spec("merger", "text", "The model that merges.", metavar="NAME", group=TEAM),
        _spec(
            "threads",
            "integer",
            f"Maximum number of threads or sub-agents, 1 to {MAX_THREADS}.",
            low=1,
            high=MAX_THREADS,
            metavar="N",
            group=TEAM,
        ),
        _spec(
            "kind",
            "text",
            "Kind of task, in a word: votes are weighed by what is known of the models on such tasks, and recorded.",
            metavar="WORD",
            group=TEAM,
        ),
        _spec(
            "deadline",
            "number",
            "Answer within this many seconds.",
            metavar="SECONDS",
            group=LIMITS,
        ),
        _spec(
            "max_tokens",
            "integer",
            "Maximum number of tokens of all agents together.",
            low=1,
            high=MAX_TOKENS,
            metavar="N",
            group=LIMITS,
        ),
        _spec(
            "max_usd",
            "number",
            "Maximum cost of all agents together, in US dollars.",
            metavar="USD",
            group=LIMITS,
        ),
        _spec(
            "as_json",
            "flag",
            "Print one JSON object and nothing else.",
            flag="--json",
            default=False,
            group=OUTPUT,
        ),
        _spec(
            "output",
            "text",
            "Also write the answer to this file.",
            metavar="FILE",
            group=OUTPUT,
            short="-o",
        ),
        _spec(
            "save_images",
            "text",
            "Write the images that agents draw to this directory; without it and --trace none is kept.",
            metavar="DIR",
            group=OUTPUT,
        ),
        _spec(
            "trace",
            "text",
            "Record every event and image in this directory.",
            metavar="DIR",
            group=OUTPUT,
        ),
    )
)
"""Options of a question, in the order in which the help lists them."""

SAMPLING_OPTIONS: Mapping[str, OptionSpec] = dict(
    (
        ("temperature", QUESTION_OPTIONS["temperature"]),
        _spec("top_p", "number", "Probability mass that is sampled from.", high=1),
        ("seed", QUESTION_OPTIONS["seed"]),
        _spec("stop", "texts", "Texts that end a reply."),
        _spec(
            "max_tokens", "integer", "Maximum number of tokens of a reply.", low=1, high=MAX_TOKENS
        ),
        ("effort", QUESTION_OPTIONS["effort"]),
    )
)
"""Options of sampling that the configuration may set for a model."""

TEAM_OPTIONS: Mapping[str, OptionSpec] = {
    name: QUESTION_OPTIONS[name]
    for name in ("agents", "first", "rounds", "deadline", "max_usd", "max_tokens", "aggregate")
}
"""Options of a team that the configuration may set."""
