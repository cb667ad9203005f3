"""Names, ranges and choices of options are the same in the schema, in request bodies, on the page, in the team and in the help."""

import inspect

import pytest
from typer.testing import CliRunner

from musespark.api import Options
from musespark.cli.app import app
from musespark.config import MODEL_RULES, TEAM_RULES, ModelConfig, TeamConfig
from musespark.option_schema import QUESTION_OPTIONS, SAMPLING_OPTIONS, TEAM_OPTIONS, OptionSpec
from musespark.reasoning.team import team
from musespark.server.page.page_info import LIMITS
from musespark.server.resolve.options import RunOptions

BODY = RunOptions.model_json_schema()


def body_field(name):
    """The schema of a request body's field, its null left out."""
    found = BODY["properties"][name]
    return next((each for each in found.get("anyOf", ()) if each.get("type") != "null"), found)


@pytest.mark.parametrize("name", sorted(set(BODY["properties"]) & set(QUESTION_OPTIONS)))
def test_a_body_takes_what_the_schema_says(name):
    spec, field = QUESTION_OPTIONS[name], body_field(name)
    if spec.kind == "integer":
        assert (field["minimum"], field["maximum"]) == (spec.low, spec.high)
    if spec.kind == "choice":
        assert tuple(field["enum"]) == spec.choices


def test_the_page_is_told_the_same_limits():
    assert {name: LIMITS[name] for name in ("agents", "rounds", "threads")} == {
        name: QUESTION_OPTIONS[name].high for name in ("agents", "rounds", "threads")
    }


def test_a_team_has_the_same_limits():
    assert (team.MAX_AGENTS, team.MAX_ROUNDS) == (
        QUESTION_OPTIONS["agents"].high,
        QUESTION_OPTIONS["rounds"].high,
    )


def test_the_configuration_has_rules_for_its_options_and_fields_for_its_rules():
    assert set(TEAM_RULES) == set(TEAM_OPTIONS) == set(TeamConfig.__dataclass_fields__)
    assert set(SAMPLING_OPTIONS) <= set(MODEL_RULES) <= set(ModelConfig.__dataclass_fields__)


def test_the_help_names_every_option():
    told = CliRunner().invoke(app, ["ask", "--help"], env={"COLUMNS": "200"}).output
    for spec in QUESTION_OPTIONS.values():
        assert (spec.flag or "--" + spec.name.replace("_", "-")) in told
    named = set(inspect.get_annotations(Options)) | {
        *("image", "deadline", "max_usd", "as_json", "output", "save_images")
    }
    assert {
        {"first": "first_wave", "kind": "task_kind"}.get(name, name) for name in QUESTION_OPTIONS
    } <= named


@pytest.mark.parametrize(
    ("spec", "good", "bad"),
    [
        (
            OptionSpec(name="n", kind="integer", help="", low=1, high=3),
            [1, 3],
            [0, 4, 1.0, True, "1", None],
        ),
        (
            OptionSpec(name="n", kind="number", help="", low=0, high=2),
            [0, 1.5, 2],
            [-1, 2.1, float("nan"), True, "1"],
        ),
        (
            OptionSpec(name="n", kind="number", help=""),
            [0.1, 1e9],
            [0, -1, float("inf"), float("nan")],
        ),
        (OptionSpec(name="n", kind="choice", help="", choices=("a", "b")), ["a"], ["c", "", None]),
        (OptionSpec(name="n", kind="texts", help=""), [["a"]], [[], [""], "a", [1]]),
        (OptionSpec(name="n", kind="text", help=""), ["a"], ["", " ", 1]),
    ],
)
def test_values_are_accepted_by_kind_and_range(spec, good, bad):
    assert all(map(spec.accepts, good)) and not any(map(spec.accepts, bad))
