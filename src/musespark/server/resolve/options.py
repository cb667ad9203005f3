"""What a client may say about the team: in the body as `muse`, or in the header `x-muse` as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from musespark.content import MAX_THREADS, Effort


class StrictModel(BaseModel):
    """A part of a body: a field that is not named here is an error, unless it is null; and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        """Clients send back what they were given with every field that they know, null where there was nothing."""
        if isinstance(value, dict) and None in value.values():
            return {key: item for key, item in value.items() if item is not None or key in cls.model_fields}
        return value


Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)]
Positive: TypeAlias = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=10**9)]


MAX_MODELS = 16
"""In the mix of a team."""
ToolName: TypeAlias = Literal["python", "spawn", "look"]
VisionToolName: TypeAlias = Literal["zoom", "rotate", "enhance", "measure", "mark", "compare", "sketch", "read", "find"]
"""What `look` is all of."""
Aggregate: TypeAlias = Literal["auto", "vote", "weigh", "judge", "merge"]


class BudgetOptions(StrictModel):
    """What one answer may cost, all agents together."""

    usd: Positive | None = None
    seconds: Positive | None = None
    tokens: Count | None = None
    calls: Count | None = None


class RunOptions(StrictModel):
    """Options of a run, and of a team that works on it."""

    agents: Annotated[int, Field(ge=1, le=64)] | None = None
    first: Annotated[int, Field(ge=1, le=64)] | None = None
    """Explorers that start at once."""
    rounds: Annotated[int, Field(ge=0, le=8)] | None = None
    aggregate: Aggregate | None = None
    models: Annotated[list[Name], Field(min_length=1, max_length=MAX_MODELS)] | None = None
    """The mix of explorers, instead of the one that the model's name says."""
    judge: Name | None = None
    refiner: Name | None = None
    merger: Name | None = None
    tools: Annotated[list[ToolName | VisionToolName], Field(max_length=16)] | None = None
    """What agents may use by themselves, beside the client's own tools."""
    threads: Annotated[int, Field(ge=1, le=MAX_THREADS)] | None = None
    """At most so many agents may be spawned."""
    budget: BudgetOptions | None = None


class TeamOptions(RunOptions):
    """Options of a team, and of a run."""

    store: bool | None = None
    """Whether the run is kept."""
    progress: bool | None = None
    """Whether a team tells what it does before the answer; it does by default."""

    @property
    def team_only(self) -> dict[str, Any]:
        """The options that only a team has."""
        names = ("agents", "first", "rounds", "aggregate", "models", "judge", "refiner", "merger")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


EFFORTS: dict[str, Effort] = {**{effort.value: effort for effort in Effort}, "xhigh": Effort.MAX}
"""What clients call efforts."""

TEAM_BY_EFFORT: dict[Effort, dict[str, int]] = {
    Effort.NONE: {"agents": 1, "first": 1, "rounds": 0},
    Effort.MINIMAL: {"agents": 2, "first": 2, "rounds": 0},
    Effort.LOW: {"agents": 4, "first": 2, "rounds": 0},
    Effort.MEDIUM: {"agents": 8, "first": 2, "rounds": 0},
    Effort.HIGH: {"agents": 16, "first": 4, "rounds": 0},
    Effort.MAX: {"agents": 32, "first": 8, "rounds": 0},
}
"""The team that an effort means, for whoever names an effort and no team."""
