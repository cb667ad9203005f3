"""`muse ask`, from its arguments to its exit code."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from musespark.cli.app import run
from musespark.images import encode_png
from musespark.models.fake import SCRIPTS
from musespark.trace import read_trace

NUMBER = {
    "tokens": int,
    "critical_path": int,
    "threads": int,
    "seconds": float,
    "usd": float,
    "calls": int,
    "prompt_tokens": int,
}


@pytest.fixture(autouse=True)
def own_temporary_directory(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def ask(capsys, *args: str) -> tuple[int, str, str]:
    code = run(["ask", *args])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_json_is_one_object_of_exactly_this_shape(capsys, tmp_path):
    saved = ["--save-images", str(tmp_path / "drawn")]
    code, out, err = ask(capsys, "Which?", "--model", "fake:team", "--json", *saved)
    assert (code, err) == (0, "") and out.count("\n") == 1
    value = json.loads(out)
    assert list(value) == [
        "answer",
        "mode",
        "status",
        "verified",
        "abstained",
        "usage",
        "pictures",
        "decided",
        "agents",
    ]
    assert (value["answer"], value["mode"], value["verified"]) == ("42", "contemplating", True)
    assert {key: type(number) for key, number in value["usage"].items()} == NUMBER
    assert [Path(path).read_bytes()[:4] for path in value["pictures"]] == [b"\x89PNG"]
    assert value["decided"] is None and value["agents"][1] == {
        "agent": "b",
        "parent": "main",
        "model": "fake",
        "task": "the second way",
        "state": "won",
        "answer": "42",
        "reason": None,
        "before": None,
        "group": None,
    }


def test_a_trace_keeps_the_images(capsys, tmp_path):
    trace = tmp_path / "deep" / "trace"
    code, out, _ = ask(
        capsys,
        "Which?",
        "--model",
        "fake:team",
        "--json",
        "--trace",
        str(trace),
        "--mode",
        "thinking",
        "--threads",
        "3",
        "--seed",
        "7",
    )
    value = json.loads(out)
    assert code == 0 and value["mode"] == "thinking"
    assert [Path(path).parent for path in value["pictures"]] == [trace]
    assert sorted(path.name for path in trace.iterdir()) == [
        "events.jsonl",
        Path(value["pictures"][0]).name,
    ]
    assert read_trace(trace)[-1].answer == "42"
    assert list(tmp_path.iterdir()) == [tmp_path / "deep"]


@pytest.mark.parametrize("form", [["--json"], []])
def test_no_file_is_left_behind_unless_it_was_asked_for(capsys, tmp_path, form):
    code, out, err = ask(capsys, "Which?", "--model", "fake:team", *form)
    assert (code, err, list(tmp_path.iterdir())) == (0, "", [])
    assert (json.loads(out)["pictures"] == []) if form else ("--save-images DIR keeps" in out)


def test_images_are_saved_in_the_directory_that_was_named(capsys, tmp_path):
    code, out, _ = ask(
        capsys, "Which?", "--model", "fake:team", "--save-images", str(tmp_path / "a" / "b")
    )
    (image,) = (tmp_path / "a" / "b").iterdir()
    assert code == 0 and image.read_bytes()[:4] == b"\x89PNG"
    assert out.count(str(image)) == 2 and "keeps images" not in out


def test_plain_lines_tell_what_happens_and_how_it_ended(capsys):
    code, out, err = ask(capsys, "Which?", "--model", "fake:team")
    assert (code, err) == (0, "") and "\x1b" not in out
    assert re.sub(r"(?m)^ +\d+\.\d\d  ", "", re.sub(r"\d\.\d s", "_ s", out)).splitlines() == [
        "fake · contemplating · Which?",
        "main  thinks Two ways.",
        "main  spawned the first way",
        "main  spawned the second way",
        "the second way  drew an image (what b imagines)",
        "the first way  thinks no luck",
        "the first way  returned nothing",
        "the second way  returned 42",
        "",
        "  42",
        "",
        "  verified by the script",
        "  critical path 9 · 20 tokens · 2 threads · _ s · $0",
        "  1 image drawn and not kept; --save-images DIR keeps images",
    ]


@pytest.mark.parametrize(
    ("args", "code", "answer", "said"),
    [
        (
            ["--model", "fake:hang", "--deadline", "0.2"],
            0,
            "4",
            "This is the best answer so far: the budget ended the run.\n",
        ),
        (
            ["--model", "fake:cut"],
            0,
            "4",
            "This is the best answer so far: the model's reply broke off.\n",
        ),
        (
            ["--model", "fake:slow", "--deadline", "0.1"],
            1,
            "",
            "The budget ran out before an answer; raise --deadline or --max-tokens.\n",
        ),
    ],
)
def test_an_answer_that_came_early_is_marked(capsys, args, code, answer, said):
    ended, out, err = ask(capsys, "Which?", "--json", *args)
    assert (ended, err, json.loads(out)["answer"], json.loads(out)["verified"]) == (
        code,
        said,
        answer,
        False,
    )
    ended, out, err = ask(capsys, "Which?", *args)
    assert (
        ended == code
        and ("best answer so far" in out) == bool(answer)
        and (err == said) == (not answer)
    )


@pytest.mark.parametrize("script", sorted(set(SCRIPTS) - {"answer", "team", "slow", "hang", "cut"}))
@pytest.mark.parametrize("form", [["--json"], []])
def test_a_model_that_fails_is_told_in_one_sentence(capsys, script, form):
    code, out, err = ask(capsys, "Which?", "--model", f"fake:{script}", *form)
    assert code == 1 and one_sentence(err) and "The model 'fake' failed" in err
    assert not form or out == ""


def test_the_question_from_standard_input(capsys, monkeypatch):
    with standard_input(monkeypatch, "Wie groß ist π?\n".encode() + b"\xff"):
        code, out, _ = ask(capsys, "-", "--model", "fake")
    assert code == 0 and "Wie groß ist π? \N{REPLACEMENT CHARACTER}" in out


def test_an_image_from_standard_input(capsys, monkeypatch):
    with standard_input(monkeypatch, encode_png(np.zeros((4, 4, 3), np.uint8))):
        assert ask(capsys, "Which?", "--image", "-", "--model", "fake")[0] == 0
    with standard_input(monkeypatch, b"no picture"):
        code, _, err = ask(capsys, "Which?", "--image", "-", "--model", "fake")
    assert code == 2 and "'standard input'" in err


def standard_input(monkeypatch, content: bytes):
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    file = open(read, encoding="utf-8")  # noqa: SIM115 (the test closes it)
    monkeypatch.setattr("sys.stdin", file)
    return file


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("files")
    red, blue = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 64), "blue")
    red.save(directory / "whole.png")
    (directory / "broken.png").write_bytes((directory / "whole.png").read_bytes()[:60])
    (directory / "text.png").write_text("hello")
    red.save(directory / "animated.gif", save_all=True, append_images=[blue])
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(directory / "transparent.png")
    Image.new("1", (9000, 9000)).save(directory / "huge.png")
    (directory / "weights").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    (directory / "directory").mkdir()
    return directory


BAD = {
    "empty question": [""],
    "blank question": [" \n"],
    "long question": ["x" * 5_000_000],
    "no question": [],
    "two questions": ["How", "much?"],
    "broken picture": ["?", "--image", "broken.png"],
    "text for a picture": ["?", "--image", "text.png"],
    "animated picture": ["?", "--image", "animated.gif"],
    "transparent picture": ["?", "--image", "transparent.png"],
    "huge picture": ["?", "--image", "huge.png"],
    "missing picture": ["?", "--image", "nowhere.png"],
    "directory for a picture": ["?", "--image", "directory"],
    "nameless picture": ["?", "--image", ""],
    "standard input twice": ["-", "--image", "-"],
    "too many pictures": ["?", *["--image", "whole.png"] * 17],
    "unknown mode": ["?", "--mode", "hasty"],
    "unknown model": ["?", "--model", "oracle"],
    "unknown script": ["?", "--model", "fake:oracle"],
    "no threads": ["?", "--threads", "0"],
    "10,000 threads": ["?", "--threads", "10000"],
    "threads in words": ["?", "--threads", "many"],
    "negative seed": ["?", "--seed", "-1"],
    "endless seed": ["?", "--seed", "9" * 30],
    "half a seed": ["?", "--seed", "0.5"],
    "no tokens": ["?", "--max-tokens", "0"],
    "no time": ["?", "--deadline", "0"],
    "endless time": ["?", "--deadline", "inf"],
    "time that is no number": ["?", "--deadline", "nan"],
    "nameless trace": ["?", "--trace", ""],
    "unknown option": ["?", "--thread", "3"],
    "option without value": ["?", "--image"],
}


@pytest.mark.parametrize("form", [["--json"], []])
@pytest.mark.parametrize("question", ["x" * 1_000_000, "Use 25, 3, 7 and 12 to make 66. " * 2_000])
def test_a_question_that_the_native_model_cannot_hold_is_told_in_one_sentence(
    capsys, form, question
):
    code, out, err = ask(capsys, *form, question)
    assert (code, out) == (2, "") and one_sentence(err) and "shorten it" in err


@pytest.mark.parametrize("args", BAD.values(), ids=BAD)
@pytest.mark.parametrize("form", [["--json"], []])
def test_bad_input_is_told_in_one_sentence(capsys, monkeypatch, files, tmp_path, args, form):
    monkeypatch.chdir(files)
    usual = {"--trace": str(tmp_path / "trace"), "--model": "fake:team"}
    others = [
        word for option, value in usual.items() if option not in args for word in (option, value)
    ]
    code, out, err = ask(capsys, *form, *others, *args)
    assert (code, out) == (2, "")
    assert one_sentence(err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    [
        ["--trace", "whole.png"],
        ["--trace", "/proc/nowhere"],
        ["--model", "nano:weights"],
        ["--model", "nano:nowhere"],
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(capsys, monkeypatch, files, args):
    monkeypatch.chdir(files)
    before = sorted(files.iterdir())
    code, _, err = ask(
        capsys, "?", *(args if "--model" in args else [*args, "--model", "fake:team"])
    )
    assert code == 1 and one_sentence(err) and sorted(files.iterdir()) == before


def one_sentence(text: str) -> bool:
    return (
        text.count("\n") == 1
        and re.search(r"[.?!]\n$", text) is not None
        and "Traceback" not in text
    )
