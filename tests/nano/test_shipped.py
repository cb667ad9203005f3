"""The weights in the package: whole, small enough, and of the network they are said to be."""

import json

import pytest

from musespark import ask
from musespark.evals.native import EvalSpec, Tally, run_eval
from musespark.nano import vocabulary as v
from musespark.nano.engine import Engine
from musespark.nano.weights import DEFAULT, load, load_half


@pytest.fixture(scope="module")
def engine():
    return Engine.from_file()


def test_they_are_whole_and_small():
    config, _, about = load_half(DEFAULT)
    assert config.vocabulary == v.SIZE
    assert DEFAULT.stat().st_size < 40_000_000
    assert about["command"].startswith("muse nano train")
    assert json.loads(json.dumps(about)) == about


# Far below the accuracy in docs/model/card.md: this detects broken weights, not worse ones.
@pytest.mark.parametrize(
    ("task", "mode", "least"),
    [
        ("decline", "contemplating", 0.9),
        ("lake", "contemplating", 0.5),
        ("countdown-3", "contemplating", 0.5),
        ("maze", "thinking", 0.3),
        ("code", "thinking", 0.3),
    ],
)
def test_they_know_their_tasks(engine, task, mode, least):
    tally = Tally(EvalSpec(task, mode, problems=24, batch=24))
    for result in run_eval(engine, EvalSpec(task, mode, problems=24, batch=24)):
        tally.add(result)
    assert tally.row.accuracy >= least
    assert tally.row.verified_wrong == 0


async def test_they_answer_what_the_readme_asks():
    answer = await ask("Who wrote Don Quixote?")
    assert "small model" in str(answer) and not answer.verified
    answer = await ask(
        "Find a safe shortest way across the frozen lake to the goal.", images=["examples/lake.png"]
    )
    assert set(str(answer)) <= set("UDLR") and len(answer.images) >= 2


def test_another_precision_is_not_another_model():
    _, half, _ = load_half()
    _, full = load()
    assert all((full[name] == half[name].astype("float32")).all() for name in half)
