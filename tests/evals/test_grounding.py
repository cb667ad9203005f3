"""The measure of grounding: on small truths by hand, and with the real reader on screens that were rendered before."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from PIL import Image as pillow

from musespark.cli.app import run
from musespark.errors import MissingFile
from musespark.evals.grounding import (
    GroundingOutcome,
    OcrGrounder,
    ToolGrounder,
    character_accuracy,
    mean_interval,
    measure,
)
from musespark.evals.grounding_report import as_json, summary, table, write
from musespark.evals.grounding_screens import (
    LabelledScreen,
    ScreenItem,
    items_of,
    read_screens,
    visible,
    write_screens,
)
from musespark.vision.coordinates import Box

SCREENS = Path(__file__).parent / "screens"


class Oracle:
    """A grounder with given answers."""

    name = "oracle"

    def __init__(self, places=None, readings=None):
        self.places, self.readings = places or {}, readings or {}

    def find(self, image, text):
        return self.places.get(text)

    def read(self, image, box):
        return self.readings.get(box, ("", None))


@pytest.fixture
def screen(tmp_path):
    file = tmp_path / "one.png"
    pillow.new("RGB", (100, 100), "white").save(file)
    button, label = Box(100, 100, 300, 200), Box(500, 500, 700, 600)
    return LabelledScreen(
        "page",
        0,
        1.0,
        file,
        (
            ScreenItem("OK", "button", (button,), (Box(150, 120, 250, 180),)),
            ScreenItem("Name", "label", (label, Box(0, 0, 50, 50)), (label, Box(0, 0, 50, 50))),
            ScreenItem("typed", "input", (Box(0, 800, 500, 900),)),
        ),
    )


def test_a_click_hits_where_the_middle_of_the_box_lies_in_a_true_one(screen):
    oracle = Oracle(
        {
            "OK": Box(150, 120, 250, 180),
            "Name": Box(10, 10, 60, 60),
            "typed": Box(600, 800, 700, 900),
        }
    )
    ok, name, typed = measure([screen], [oracle], reads=0)
    assert (ok.hit, ok.overlap, ok.characters) == (True, 1.0, None)
    assert name.hit and name.overlap == pytest.approx(1600 / (2500 + 2500 - 1600))
    assert not typed.hit and typed.overlap is None
    assert [(one.hit, one.overlap) for one in measure([screen], [Oracle()], reads=0)] == [
        (False, 0.0),
        (False, 0.0),
        (False, None),
    ]


def test_what_is_read_is_compared_letter_by_letter_and_only_where_the_place_is_known(screen):
    readings = {screen.items[0].inks[0]: ("0K", Box(150, 120, 250, 180))}
    outcomes = list(measure([screen], [Oracle(readings=readings)], reads=9))
    assert [(one.characters, one.reading) for one in outcomes] == [
        (0.5, 1.0),
        (0.0, 0.0),
        (None, None),
    ]
    once, again = (
        [
            one.text
            for one in measure([screen], [Oracle()], reads=1, seed=3)
            if one.characters is not None
        ]
        for _ in "ab"
    )
    assert once == again and len(once) == 1


TEXT = st.text("abAB 1.", min_size=1, max_size=8).filter(str.strip)


@given(TEXT, st.text("abAB 1.", max_size=8))
def test_the_share_of_right_characters_is_the_plain_edit_distance(wanted, read):
    one, other = wanted.replace(" ", ""), read.replace(" ", "")

    def distance(left, right):
        if not left or not right:
            return len(left) + len(right)
        rest = (
            distance(left[1:], right[1:])
            if left[0] == right[0]
            else 1
            + min(
                distance(left[1:], right[1:]), distance(left[1:], right), distance(left, right[1:])
            )
        )
        return rest

    assert character_accuracy(wanted, read) == pytest.approx(
        max(0.0, 1 - distance(one, other) / len(one))
    )
    assert character_accuracy(wanted, wanted) == 1.0


OUTCOME = GroundingOutcome("tools", "page", 0, 1.0, "text", "x", True, 0.5)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=30))
def test_a_share_lies_within_its_interval_and_is_the_same_again(hits):
    outcomes = [replace(OUTCOME, page=page, hit=hit) for page, hit in hits]
    found = mean_interval(outcomes, lambda one: one.hit)
    assert found.mean == pytest.approx(
        sum(hit for _, hit in hits) / len(hits)
    ) and found.count == len(hits)
    assert 0 <= found.low <= found.mean + 1e-9 and found.mean - 1e-9 <= found.high <= 1
    assert mean_interval(outcomes, lambda one: one.hit) == found
    assert mean_interval(outcomes, lambda one: one.characters) is None


def test_an_interval_draws_pages_and_not_items():
    alike = [replace(OUTCOME, page=page, hit=page < "b") for page in "ab" for _ in range(500)]
    assert (
        mean_interval(alike, lambda one: one.hit).low,
        mean_interval(alike, lambda one: one.hit).high,
    ) == (0.0, 1.0)


def item(text, kind="text", inline=False, ink=(0, 0, 10, 10)):
    return {
        "text": text,
        "kind": kind,
        "box": [0, 0, 20, 20],
        "ink": list(ink) if ink else None,
        "inline": inline,
    }


def test_what_nobody_could_tell_apart_is_no_item():
    page = {
        "items": [
            item('Click on the link "sed".'),
            item("sed", "link", inline=True),
            item("eu", "link", inline=True),
            item("OK", "button"),
            item("OK", "button", ink=(20, 20, 30, 30)),
            item("ok"),
            item("→"),
            item("确定"),
        ],
        "lines": ['Click on the link "sed".', "nibh sed eu.", "OK", "OK", "ok", "→", "确定"],
    }
    found = items_of(page, 100, 200)
    assert [one.text for one in found] == ['Click on the link "sed".', "eu", "OK", "ok"]
    assert found[2].boxes == (Box(0, 0, 200, 100),) * 2 and found[2].inks == (
        Box(0, 0, 100, 50),
        Box(200, 100, 300, 150),
    )
    assert (
        items_of({"items": [item("typed", "input", ink=None)], "lines": []}, 100, 200)[0].inks == ()
    )


def test_what_cannot_be_seen_is_known(tmp_path):
    file = tmp_path / "one.png"
    image = pillow.new("RGB", (100, 100), "white")
    image.paste("black", (10, 10, 20, 20))
    image.save(file)
    assert visible(ScreenItem("x", "text", (Box(50, 50, 250, 250),)), file)
    assert not visible(ScreenItem("x", "text", (Box(500, 500, 700, 700),)), file)


def test_screens_come_back_as_they_were_written(screen, tmp_path):
    write_screens(tmp_path, [screen], {"seeds": [0]})
    assert read_screens(tmp_path) == [screen]
    for text in ("", "[]", '{"screens": [{"page": "x"}]}'):
        (tmp_path / "screens.json").write_text(text)
        with pytest.raises(MissingFile, match="not an index of screens"):
            read_screens(tmp_path)
    with pytest.raises(MissingFile, match="No such file"):
        read_screens(tmp_path / "nowhere")


def test_the_report_tells_every_kind_and_all_of_them(tmp_path):
    outcomes = [
        OUTCOME,
        replace(OUTCOME, kind="button", hit=False, characters=0.5, reading=0.25),
        replace(OUTCOME, scale=2.0),
    ]
    rows = summary(outcomes)
    assert [(row["scale"], row["kind"]) for row in rows] == [
        (1, "all"),
        (1, "button"),
        (1, "text"),
        (2, "all"),
        (2, "text"),
    ]
    assert (rows[0]["click in box"].mean, rows[0]["characters of read"].count) == (0.5, 1)
    assert "| 1 | button | tools | 1 | 0.0% (0.0% to 0.0%) | 50.0%" in table(outcomes)
    write(tmp_path / "out", outcomes, {"seed": 3})
    told = json.loads((tmp_path / "out" / "grounding.json").read_text())
    assert (
        told["seed"] == 3
        and len(told["outcomes"]) == 3
        and as_json(outcomes, {"seed": 3}).startswith("{")
    )


def test_the_tools_point_at_what_is_meant_on_real_screens_and_reading_alone_does_so_less():
    screens = read_screens(SCREENS)
    assert {screen.scale for screen in screens} == {1.0, 2.0}
    outcomes = list(measure([screens[0], screens[-1]], [ToolGrounder(), OcrGrounder()], reads=1))
    tools, alone = (
        [one for one in outcomes if one.by == by] for by in (ToolGrounder.name, OcrGrounder.name)
    )
    assert len(tools) == len(alone) > 15
    assert mean_interval(tools, lambda one: one.hit).mean >= 0.95
    assert (
        mean_interval(tools, lambda one: one.hit).mean
        >= mean_interval(alone, lambda one: one.hit).mean
    )
    assert (
        mean_interval(tools, lambda one: one.overlap).mean > 0.7
        and mean_interval(tools, lambda one: one.characters).mean > 0.9
    )


def test_the_command_measures_screens_that_are_there(tmp_path, capsys):
    assert (
        run(
            [
                "eval",
                "grounding",
                "--screens",
                str(SCREENS),
                "--page",
                "click-tab-2-hard",
                "--reads",
                "0",
                "--json",
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["pages"] == 1 and {row["by"] for row in told["summary"]} == {
        ToolGrounder.name,
        OcrGrounder.name,
    }
    assert (tmp_path / "grounding.md").read_text().count("\n") > 4


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--part", "mine"], "part cannot be 'mine'"),
        (["--scale", "99"], "between 0.5 and 8"),
        (["--screens", "/nowhere"], "cannot be read"),
        (["--screens", str(SCREENS), "--page", "none"], "screens with text"),
        (
            ["--browser", "/nowhere/chrome", "--page", "click-button"],
            "no such browser is installed",
        ),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(args, says, capsys, tmp_path):
    assert run(["eval", "grounding", "--out", str(tmp_path), *args]) == 2
    said = capsys.readouterr().err
    assert says in said and said.endswith(".\n")
