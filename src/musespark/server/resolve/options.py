"""Options of a run and of a team that clients may send: in the body as `muse`, or in the header `x-muse` as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from musespark.content import MAX_THREADS, Effort
from musespark.reasoning.team.team import MAX_AGENTS, MAX_ROUNDS
from musespark.server.http.body import Name, StrictModel

Positive: TypeAlias = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=10**9)]

MAX_MODELS = 16
"""Explorer models of one team."""
ToolName: TypeAlias = Literal["python", "spawn", "look"]
VisionToolName: TypeAlias = Literal[
    "zoom", "rotate", "enhance", "measure", "mark", "compare", "sketch", "read", "find"
]
"""Tools that `look` stands for."""
Aggregate: TypeAlias = Literal["auto", "vote", "weigh", "judge", "merge"]


class BudgetOptions(StrictModel):
    """Limits of one answer, for all agents together."""

    usd: Positive | None = None
    seconds: Positive | None = None
    tokens: Count | None = None
    calls: Count | None = None


class RunOptions(StrictModel):
    """Options of a run, and of the team that works on it."""

    agents: Annotated[int, Field(ge=1, le=MAX_AGENTS)] | None = None
    first: Annotated[int, Field(ge=1, le=MAX_AGENTS)] | None = None
    """Explorers in the first wave."""
    rounds: Annotated[int, Field(ge=0, le=MAX_ROUNDS)] | None = None
    aggregate: Aggregate | None = None
    models: Annotated[list[Name], Field(min_length=1, max_length=MAX_MODELS)] | None = None
    """Explorer models, instead of the one that the model's name says."""
    judge: Name | None = None
    refiner: Name | None = None
    merger: Name | None = None
    tools: Annotated[list[ToolName | VisionToolName], Field(max_length=16)] | None = None
    """Tools that agents may use by themselves, beside the client's own."""
    threads: Annotated[int, Field(ge=1, le=MAX_THREADS)] | None = None
    """Maximum number of spawned agents."""
    budget: BudgetOptions | None = None


TEAM_ONLY = ("agents", "first", "rounds", "aggregate", "models", "judge", "refiner", "merger")
"""Options that only a team has."""


class TeamOptions(RunOptions):
    """The field `muse` of a protocol's body."""

    store: bool | None = None
    """False if the run must not be stored."""
    progress: bool | None = None
    """False if the team's progress must not be shown before the answer."""

    @property
    def team_only(self) -> dict[str, Any]:
        """The options given that only a team has."""
        return {name: value for name in TEAM_ONLY if (value := getattr(self, name)) is not None}


EFFORTS: dict[str, Effort] = {**{effort.value: effort for effort in Effort}, "xhigh": Effort.MAX}
"""Efforts by the names that clients send."""

TEAM_BY_EFFORT: dict[Effort, dict[str, int]] = {
    Effort.NONE: {"agents": 1, "first": 1, "rounds": 0},
    Effort.MINIMAL: {"agents": 2, "first": 2, "rounds": 0},
    Effort.LOW: {"agents": 4, "first": 2, "rounds": 0},
    Effort.MEDIUM: {"agents": 8, "first": 2, "rounds": 0},
    Effort.HIGH: {"agents": 16, "first": 4, "rounds": 0},
    Effort.MAX: {"agents": 32, "first": 8, "rounds": 0},
}
"""Size of the team by effort, for requests that name an effort and no option of a team."""
