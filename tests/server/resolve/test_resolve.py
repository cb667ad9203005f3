"""Who answers: names, efforts, options, limits."""

from dataclasses import replace

import pytest
from server.conftest import ABLE, says

from musespark import errors
from musespark.config import Config, ModelConfig, Roles, TeamConfig
from musespark.content import Effort, Image, Request, ToolSpec
from musespark.events import RunEnded
from musespark.models.fake import DOT, FakeModel
from musespark.models.model import Abilities
from musespark.models.nano import NanoModel
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.server.errors import RequestRefused
from musespark.server.resolve.model_catalog import ModelCatalog
from musespark.server.resolve.options import TEAM_BY_EFFORT, TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.server.resolve.resolve import resolve

ROLES = Config(
    roles=Roles(explorer=("one", "two"), judge="two"), team=TeamConfig(agents=5, deadline=60.0)
)
MODELS = {
    "one": FakeModel(says("1"), name="one", abilities=ABLE),
    "two": FakeModel(says("2"), name="two", abilities=ABLE),
    "org/one": FakeModel(says("3"), name="org/one", abilities=ABLE),
    "poor": FakeModel(says("4"), name="poor", abilities=Abilities()),
    "musing": FakeModel(says("5"), name="musing", abilities=replace(ABLE, effort_none=False)),
}


def asked(model, effort=None, team=None, **options):
    """A question, with options."""
    request = Request.of("What is 6 * 7?", **options)
    return ParsedRequest(
        model=model,
        request=request,
        conversation=request.messages,
        effort=effort,
        options=TeamOptions(**(team or {})),
    )


async def resolved(model, config=ROLES, **options):
    """Who answers it."""
    return await resolve(asked(model, **options), ModelCatalog(config, MODELS))


async def test_a_mode_is_the_configured_models():
    found = await resolved("contemplating")
    assert [model.name for model in found.team.explorers] == ["one", "two"]
    assert (found.team.agents, found.team.judge.name, found.limits.seconds) == (5, "two", 60.0)
    assert (await resolved("instant")).team.explorers == (MODELS["one"],)


@pytest.mark.parametrize(
    ("name", "model", "mode"),
    [
        ("one", "one", "thinking"),
        ("instant/one", "one", "instant"),
        ("thinking/two", "two", "thinking"),
        ("org/one", "org/one", "thinking"),
        ("contemplating/org/one", "org/one", "contemplating"),
    ],
)
async def test_a_name_says_model_and_mode(name, model, mode):
    found = await resolved(name, config=Config())
    assert (found.team.name, found.request.mode) == (model, mode)


@pytest.mark.parametrize("effort", list(Effort)[1:])
async def test_an_effort_is_a_team(effort):
    found = await resolved("contemplating/one", config=Config(), effort=effort)
    assert {
        option: getattr(found.team, {"first": "first_wave"}.get(option, option))
        for option in TEAM_BY_EFFORT[effort]
    } == TEAM_BY_EFFORT[effort]
    assert found.request.effort == effort  # these models have efforts of their own, too


async def test_no_effort_is_no_team():
    found = await resolved("contemplating", effort=Effort.NONE)
    assert found.request.mode == "instant" and found.team.explorers == (MODELS["one"],)


@pytest.mark.parametrize(
    ("name", "effort", "only"),
    [
        ("thinking", None, "thinking"),
        ("instant", None, "instant"),
        ("contemplating", Effort.NONE, "instant"),
        ("thinking/one", None, ""),
        ("one", None, ""),
        ("contemplating", None, ""),
    ],
)
async def test_that_of_several_configured_models_one_is_asked_is_said(name, effort, only):
    told = (f"Only one is asked, and not two: {only} is one model's; contemplating asks them all.",)
    assert (await resolved(name, effort=effort)).notes == (told if only else ())


async def test_options_count_more_than_efforts_and_the_configuration():
    found = await resolved(
        "contemplating",
        effort=Effort.HIGH,
        team={"agents": 3, "models": ["two"], "budget": {"usd": 0.5}},
    )
    assert (found.team.agents, found.team.first_wave, found.team.name, found.limits.usd) == (
        3,
        2,
        "two",
        0.5,
    )
    assert (await resolved("contemplating", team={"agents": 1})).team.first_wave == 1


async def test_the_tokens_of_an_answer_are_each_agents_own():
    before = {name: len(MODELS[name].requests) for name in ("one", "two")}
    found = await resolved(
        "contemplating", max_tokens=7, team={"judge": "one", "aggregate": "judge", "rounds": 0}
    )
    events = [event async for event in run(found.team, found.request)]
    assert isinstance(events[-1], RunEnded)
    asked = [request for name, seen in before.items() for request in MODELS[name].requests[seen:]]
    limits = {stage: set() for stage in ("explore", "judge")}
    for request in asked:
        limits[request.stage].add(request.max_tokens)
    assert limits == {"explore": {7}, "judge": {None}}


@pytest.mark.parametrize("option", [{"top_p": 0.5}, {"schema": "{}"}])
async def test_what_a_model_cannot_do_is_refused_by_name(option):
    with pytest.raises(errors.BeyondModel, match="'nano' cannot"):
        await resolved("nano", **option)
    with pytest.raises(errors.BeyondModel, match="use tools"):
        await resolved("nano", tools=(ToolSpec.of("t", "", {}),))
    with pytest.raises(errors.BeyondModel, match="images"):
        await resolve(
            ParsedRequest(
                model="poor", request=Request.of("?", [Image.from_bytes(DOT)]), conversation=()
            ),
            ModelCatalog(None, MODELS),
        )


async def test_an_effort_that_a_model_lacks_is_dropped_with_a_note_and_none_becomes_the_least():
    found = await resolved("poor", effort=Effort.HIGH)
    assert found.request.effort is None and found.warnings == found.notes
    assert found.notes == ("poor has no efforts; the effort high has no effect.",)
    found = await resolved("poor", effort=Effort.NONE)
    assert found.request.effort is None and not found.notes
    found = await resolved("musing", effort=Effort.NONE)
    assert found.request.effort is Effort.MINIMAL
    assert found.notes == ("musing always reasons; the effort is minimal in place of none.",)


async def test_an_effort_makes_a_configured_team_smaller_but_never_larger():
    three = Config(roles=Roles(explorer=("one",)), team=TeamConfig(agents=3))
    for effort, agents in ((Effort.MAX, 3), (Effort.HIGH, 3), (Effort.MINIMAL, 2)):
        found = await resolved("contemplating", config=three, effort=effort)
        assert (found.team.agents, found.team.first_wave) == (agents, 2)
    asked = await resolved("contemplating", config=three, effort=Effort.HIGH, team={"agents": 9})
    assert asked.team.agents == 9


async def test_a_clients_tool_may_not_have_an_agents_name():
    with pytest.raises(errors.BadOption, match="named differently"):
        await resolved(
            "contemplating", tools=(ToolSpec.of("spawn_agents", "", {}),), team={"tools": ["spawn"]}
        )


@pytest.mark.parametrize(
    "name",
    [
        "openai-compatible:m@http://127.0.0.1:9/v1",
        "vllm:m@http://10.0.0.1/v1",
        "nano:/etc/passwd",
        "fake:hang",
        "openai:",
        "nobody",
        "contemplating/nobody",
        "/",
    ],
)
async def test_names_reach_no_address_and_no_file(name):
    with pytest.raises(errors.UnknownModel):
        await resolved(name)


async def test_a_configured_alias_may_name_an_address():
    config = Config(models={"mine": ModelConfig(model="openai-compatible:m@http://127.0.0.1:9/v1")})
    models = ModelCatalog(config)
    assert (await models.named("mine")).name == "mine"  # clients are told no address
    assert await models.named("mine") is await models.named("mine")
    await models.aclose()


async def test_only_a_team_has_a_teams_options():
    with pytest.raises(RequestRefused, match="agents: only a team"):
        await resolved("instant", team={"agents": 3})


async def test_a_model_that_forgets_says_so():
    request = Request(
        messages=(
            *Request.of("Before.").messages,
            *Request.of("Use 25, 3, 7 and 12 to make 66.").messages,
        )
    )
    found = await resolve(
        ParsedRequest(model="nano", request=request, conversation=()), ModelCatalog()
    )
    assert found.notes == ("nano reads the last question only; what comes before it is not read.",)


async def test_the_native_models_thoughts_are_not_counted_against_its_answer():
    found = await resolved("contemplating/nano", config=Config(), max_tokens=3)
    assert found.team.solo and found.request.max_tokens is None
    request = Request.of("Use 25, 3, 7 and 12 to make 66.", mode="thinking")
    whole = [event async for event in run(Team.of(NanoModel()), request)][-1]
    limited = Request.of(request.question, max_tokens=3)
    found = await resolve(
        ParsedRequest(model="nano", request=limited, conversation=()), ModelCatalog()
    )
    short = [event async for event in run(found.team, found.request)][-1]
    assert (
        short.finish_reason == "length"
        and whole.answer.startswith(short.answer)
        and 0 < len(short.answer) < len(whole.answer)
    )
