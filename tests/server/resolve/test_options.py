"""One table of the options of a run: bodies, configuration, command line, Python and the page's form all agree with it.

A new option, a new value or a new bound is entered here first; whatever does not follow fails.
"""

import typing
from dataclasses import dataclass, fields

import pytest
import typer
from pydantic import ValidationError

import musespark
from musespark.cli.app import app
from musespark.config import TeamConfig, load_config
from musespark.content import Effort, Mode
from musespark.errors import BadConfig, BadInput
from musespark.models.fake import FakeModel
from musespark.server.page import page_info
from musespark.server.page.run_body import RunBody
from musespark.server.protocols.chat.body import ChatBody
from musespark.server.protocols.messages.body import MessagesOutputConfig
from musespark.server.protocols.responses.body import ResponsesReasoning
from musespark.server.resolve.options import (
    EFFORTS,
    TEAM_BY_EFFORT,
    TEAM_ONLY,
    BudgetOptions,
    RunOptions,
    TeamOptions,
)

LARGE = 10**9


@dataclass(frozen=True)
class Option:
    """One option: its bounds or its values, and its names where they are not its own."""

    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    flag: str = ""
    """Option of `muse ask`; empty if it has none."""
    config: str = ""
    """Key of `[team]` in the configuration; empty if it has none."""
    limit: str = ""
    """Limit that the page is told of; empty if there is none."""
    team_only: bool = False


OPTIONS = {
    "agents": Option(1, 64, flag="--agents", config="agents", limit="agents", team_only=True),
    "first": Option(1, 64, flag="--first", config="first", limit="agents", team_only=True),
    "rounds": Option(0, 8, flag="--rounds", config="rounds", limit="rounds", team_only=True),
    "aggregate": Option(
        values=("auto", "vote", "weigh", "judge", "merge"),
        flag="--aggregate",
        config="aggregate",
        team_only=True,
    ),
    "models": Option(1, 16, flag="--model", limit="models", team_only=True),
    "judge": Option(flag="--judge", team_only=True),
    "refiner": Option(flag="--refiner", team_only=True),
    "merger": Option(flag="--merger", team_only=True),
    "tools": Option(
        values=(
            "python",
            "spawn",
            "look",
            "zoom",
            "rotate",
            "enhance",
            "measure",
            "mark",
            "compare",
            "sketch",
            "read",
            "find",
        ),
        flag="--tools",
    ),
    "threads": Option(1, 64, flag="--threads", limit="threads"),
    "budget": Option(),
}
BUDGET = {
    "usd": Option(0, LARGE, flag="--max-usd", config="max_usd"),
    "seconds": Option(0, LARGE, flag="--deadline", config="deadline"),
    "tokens": Option(1, LARGE, flag="--max-tokens", config="max_tokens"),
    "calls": Option(1, LARGE),
}
UNBOUNDED_IN_CONFIG = ("deadline", "max_usd")
"""Amounts that the configuration does not limit: it is the operator's."""
WHOLE = ("agents", "first", "rounds", "threads")
EVERY = {**OPTIONS, **BUDGET}


def outside(option):
    """Values just beyond the bounds."""
    return [
        value
        for value, bound in (
            (option.low - 1 if option.low is not None else None, option.low),
            (option.high + 1 if option.high is not None else None, option.high),
        )
        if bound is not None
    ]


def accepts(kind, **values):
    """True if a body takes these fields."""
    try:
        kind.model_validate(values)
    except ValidationError:
        return False
    return True


def test_bodies_have_these_options_and_no_others():
    assert set(RunOptions.model_fields) == set(OPTIONS) and set(BudgetOptions.model_fields) == set(
        BUDGET
    )
    assert set(TeamOptions.model_fields) - set(OPTIONS) == {"store", "progress"}
    assert set(OPTIONS) < set(RunBody.model_fields)
    assert {name for name, option in OPTIONS.items() if option.team_only} == set(TEAM_ONLY)


@pytest.mark.parametrize("kind", [TeamOptions, RunBody])
@pytest.mark.parametrize("name", WHOLE)
def test_bodies_keep_the_bounds(kind, name):
    option = OPTIONS[name]
    assert accepts(kind, **{name: option.low}) and accepts(kind, **{name: option.high})
    assert not any(
        accepts(kind, **{name: value})
        for value in (*outside(option), str(option.low), option.low + 0.5)
    )


@pytest.mark.parametrize("name", BUDGET)
def test_budgets_keep_the_bounds(name):
    option = BUDGET[name]
    assert accepts(TeamOptions, budget={name: option.high}) and accepts(
        TeamOptions, budget={name: 1}
    )
    assert not any(
        accepts(TeamOptions, budget={name: value}) for value in (*outside(option), 0, -1, "1")
    )


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.values])
def test_bodies_have_the_values(name):
    option = OPTIONS[name]
    for value in option.values:
        assert accepts(TeamOptions, **{name: [value] if name == "tools" else value})
    assert not accepts(TeamOptions, **{name: ["other"] if name == "tools" else "other"})


def test_a_team_has_no_more_models_than_the_table_says():
    assert accepts(TeamOptions, models=["m"] * OPTIONS["models"].high)
    assert not accepts(TeamOptions, models=["m"] * (OPTIONS["models"].high + 1)) and not accepts(
        TeamOptions, models=[]
    )


def configured(tmp_path, name, value):
    """A configuration with this value for a team."""
    file = tmp_path / "config.toml"
    file.write_text(f"[team]\n{name} = {value!r}\n")
    return getattr(load_config(file).team, name)


def test_the_configuration_has_these_options(tmp_path):
    named = {option.config: option for option in EVERY.values() if option.config}
    assert {field.name for field in fields(TeamConfig)} == set(named)
    for name, option in named.items():
        for value in option.values or (option.high, max(1, option.low)):
            assert configured(tmp_path, name, value) == value
        beyond = outside(option)[:1] if name in UNBOUNDED_IN_CONFIG else outside(option)
        for value in ("other",) if option.values else beyond:
            with pytest.raises(BadConfig):
                configured(tmp_path, name, value)


def test_the_command_line_has_these_options_and_tells_their_values():
    flags = {
        flag: parameter
        for parameter in typer.main.get_command(app).commands["ask"].params
        for flag in parameter.opts
    }
    for option in EVERY.values():
        if option.flag:
            assert option.flag in flags
    assert all(value in flags["--aggregate"].help for value in OPTIONS["aggregate"].values)
    assert all(effort.value in flags["--effort"].help for effort in Effort)
    assert str(OPTIONS["threads"].high) in flags["--threads"].help


@pytest.mark.parametrize("name", [*WHOLE, "aggregate"])
def test_python_refuses_what_bodies_refuse(name):
    option = OPTIONS[name]
    for value in ("other",) if option.values else outside(option):
        with pytest.raises(BadInput):
            musespark.ask_sync(
                "?", model=[FakeModel(name="a")], mode="contemplating", **{name: value}
            )


def test_the_page_is_told_the_limits():
    for name, option in OPTIONS.items():
        if option.limit:
            assert page_info.LIMITS[option.limit] == option.high, name


def literals(kind, name):
    """The values that a field may have."""
    return {
        value
        for part in typing.get_args(kind.model_fields[name].annotation)
        for value in typing.get_args(part)
    }


def test_efforts_are_the_same_everywhere():
    names = {effort.value for effort in Effort}
    assert set(EFFORTS) == names | {"xhigh"} and set(TEAM_BY_EFFORT) == set(Effort)
    for kind, name in (
        (ChatBody, "reasoning_effort"),
        (ResponsesReasoning, "effort"),
        (RunBody, "effort"),
    ):
        assert literals(kind, name) == set(EFFORTS)
    assert literals(MessagesOutputConfig, "effort") < set(EFFORTS)
    for team in TEAM_BY_EFFORT.values():
        assert accepts(TeamOptions, **team) and team["first"] <= team["agents"]


def test_modes_are_the_same_everywhere():
    assert literals(RunBody, "mode") == {mode.value for mode in Mode}
