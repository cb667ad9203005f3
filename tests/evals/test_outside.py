"""Questions of others, and those that only look like the model's own questions: nothing wrong is confirmed."""

import json
import os
from pathlib import Path

import pytest

from musespark.cli.app import run
from musespark.errors import BadOption
from musespark.evals.outside import check_verifiers, load, sum_counts
from musespark.evals.variations import TASKS, vary
from musespark.nano.tasks import load_task

RECORDS = os.environ.get("MUSE_OUTSIDE_RECORDS", "")
MAZE = {
    "R": 3,
    "C": 3,
    "P": [[0, 1], [1, 2], [2, 5], [5, 8], [0, 3], [3, 4], [3, 6], [6, 7]],
    "s": 0,
    "g": 8,
}
LAKE = {"desc": ["SFF", "FHF", "FFG"]}


def of(*records):
    return "\n".join(json.dumps(record) for record in records)


@pytest.fixture
def records(tmp_path):
    def write(*given):
        path = tmp_path / "records.jsonl"
        path.write_text(of(*given))
        return load(path)

    return write


@pytest.mark.parametrize("task", TASKS)
def test_no_usual_answer_to_a_varied_question_is_confirmed(task):
    if task == "shapes":
        pytest.importorskip("easy_vqa")
    verifier = load_task(task)
    for varied in vary(task, 40, seed=7):
        assert not verifier.verify(varied.question, varied.image, varied.usual), (
            varied.change,
            varied.question,
        )


def test_an_image_in_another_style_is_read_whole_or_not_at_all(records):
    plain = {
        "kind": "maze",
        "q": "Which moves solve this maze?",
        "maze": MAZE,
        "a": {"answer": "RRDD"},
    }
    ways = ("plain", "blocks", "squares", "cream paper", "light grey walls")
    others = ("dark theme", "letters S G", "rotated 3 deg", "screenshot", "photo-like", "openings, no marks", "stars", "blue walls",
              "black frame, light grey inner")  # fmt: skip
    found = sum_counts(
        check_verifiers(records(*({**plain, "name": name} for name in (*ways, *others))))
    )
    assert [found["maze", name].confirmed for name in ways] == [1] * len(ways)
    assert [found["maze", name].abstained for name in others] == [1] * len(others)


@pytest.mark.parametrize("colour", ["blue", "red", "light grey"])
def test_a_wall_of_another_colour_closes_the_way(records, colour):
    record = {
        "kind": "maze",
        "name": f"unsolvable by a {colour} wall",
        "q": "Which moves solve this maze?",
    }
    found = sum_counts(check_verifiers(records({**record, "maze": {**MAZE, "e": [1, 2]}})))[
        "maze", "all"
    ]
    assert (found.confirmed, found.wrongly, found.abstained) == (0, 0, 1)


def test_what_a_lake_is_asked_for_decides(records):
    names = (
        "from the goal to the start",
        "fall into a hole",
        "how many steps",
        "greyscale",
        "mirrored",
        "new after some steps",
    )
    found = sum_counts(
        check_verifiers(records(*({"kind": "lake", "name": name, "lake": LAKE} for name in names)))
    )
    assert (
        found["lake", "all"].wrongly,
        found["lake", "all"].confirmed,
        found["lake", "all"].abstained,
    ) == (0, 0, len(names))


def test_a_file_that_is_none_is_told_in_a_sentence(tmp_path, capsys):
    (tmp_path / "bad.jsonl").write_text('{"kind": "maze"}')
    with pytest.raises(BadOption, match=r"line 1 is none \(KeyError"):
        load(tmp_path / "bad.jsonl")
    assert run(["nano", "outside", str(tmp_path / "nowhere.jsonl")]) == 2
    assert "nowhere.jsonl" in capsys.readouterr().err


def test_what_one_may_ask_is_shown_with_an_example_each(capsys):
    assert run(["nano", "tasks"]) == 0
    shown = capsys.readouterr().out
    for word in (
        "Countdown",
        "Frozen lake",
        "Maze",
        "Shape",
        "Short program",
        "from 1 to 99",
        "3x3 to 6x6",
        "exit code is then 3",
    ):
        assert word in shown
    assert shown.count("muse ask") == 5


@pytest.mark.skipif(not RECORDS, reason="MUSE_OUTSIDE_RECORDS names no file of records")
def test_of_a_file_of_records_nothing_wrong_is_confirmed():
    assert Path(RECORDS).is_file(), f"MUSE_OUTSIDE_RECORDS names {RECORDS!r}, which is no file"
    wrongly = [
        (asked.task, asked.name, asked.question)
        for asked, count in check_verifiers(load(Path(RECORDS)))
        if count.wrongly
    ]
    assert wrongly == []
