import json
from dataclasses import replace

import pytest
from networks import SMALL, Scripted, play, random_weights

from musespark.evals.card import write_card
from musespark.evals.native import (
    EvalSample,
    EvalSpec,
    Tally,
    equivalence_key,
    is_reachable,
    run_eval,
)
from musespark.evals.parallel import plan_evals, plan_vote, run_evals
from musespark.evals.report import EvalRow, write
from musespark.nano import weights
from musespark.nano.engine import Engine
from musespark.nano.tasks import TaskProblem, load_task

LIKE = EvalSpec("", "", problems=3)


def answers(network_says, spec):
    return list(run_eval(Engine.of(Scripted(play(network_says))), spec))


def test_declining_is_right_where_nothing_else_is():
    spec = replace(LIKE, task="decline", mode="thinking")
    tally = Tally(spec)
    assert all(tally.add(result) for result in answers("<decline><eos>", spec))
    assert (tally.row.accuracy, tally.row.tokens, tally.row.critical_path, tally.row.threads) == (
        1,
        2,
        2,
        0,
    )
    wrong = Tally(spec)
    assert not any(wrong.add(result) for result in answers("<countdown><answer>1<eos>", spec))


def test_declining_a_question_of_a_world_is_wrong():
    spec = replace(LIKE, task="countdown-3", mode="instant")
    tally = Tally(spec)
    assert not any(tally.add(result) for result in answers("<decline><eos>", spec))


def test_problems_are_fresh_and_the_same_for_the_same_seed():
    spec = replace(LIKE, task="countdown-4", mode="instant", batch=2)
    first, second = (
        [r.problem.question for r in answers("<countdown><answer>1<eos>", spec)] for _ in range(2)
    )
    assert sorted(first) == sorted(second) and len(set(first)) == 3


def test_a_vote_counts_equal_expressions_as_one_and_is_paid_in_full():
    problem = TaskProblem("countdown", "", "", facts={"numbers": (2, 3, 4), "target": 24})
    result = EvalSample(problem, answers=["2+3+4", "(2*3)*4", "2*(3*4)"])
    assert result.answer == "(2*3)*4"
    assert EvalSample(problem, answers=["", "", "2+3+4"]).answer == "2+3+4", (
        "what was cut short does not vote"
    )
    assert (
        equivalence_key(problem, "(2*3)*4")
        == equivalence_key(problem, "4*3*2")
        != equivalence_key(problem, "2+3+4")
    )
    spec = replace(LIKE, task="countdown-3", mode="thinking", votes=4, problems=2)
    results = answers("<countdown><answer>1<eos>", spec)
    assert [(len(r.answers), r.tokens, r.critical_path) for r in results] == [(4, 16, 4)] * 2


def test_the_ceiling_is_what_perfect_threads_would_reach():
    problem = TaskProblem("countdown", "", "", facts={"numbers": (25, 3, 12, 7), "target": 66})
    assert is_reachable(EvalSample(problem, branches=["25-7", "nonsense"]))
    assert not is_reachable(EvalSample(problem, branches=["25+3", "99-1"]))


def test_the_plan_blanks_images_where_they_are_imagined_and_the_vote_costs_as_much():
    planned = plan_evals(["maze", "code"], ["thinking", "contemplating"], LIKE)
    assert [s.task for s in planned if s.ablate_images] == ["maze"] and len(planned) == 5
    rows = [
        EvalRow("countdown-4", "thinking", 9, 1, 0, 1, 200, 1),
        EvalRow("countdown-4", "contemplating", 9, 1, 0, 1, 610, 1),
    ]
    assert plan_vote(rows, LIKE) == replace(LIKE, task="countdown-4", mode="thinking", votes=3)
    assert plan_vote(rows[:1], LIKE) is None


def test_evaluations_run_in_processes_and_make_a_card(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "w.safetensors"
    weights.save(
        path,
        SMALL,
        random_weights(SMALL),
        {"command": "muse nano train --minutes 1", "machine": "a test"},
    )
    specs = plan_evals(["decline", "code"], ["instant"], replace(LIKE, problems=6))
    steps = list(run_evals(specs, str(path), jobs=2))
    rows = {step.spec: step.row for step in steps if step.row}
    assert sorted(rows) == [0, 1] and all(row.problems == 6 for row in rows.values())
    write(
        [rows[0], rows[1]],
        tmp_path,
        {"command": "muse nano eval", "seed": 0, "threads": 10, "batch": 16},
    )
    (tmp_path / "log.jsonl").write_text(
        json.dumps({"step": 9, "tokens": 10**6, "seconds": 60, "loss": 1.0}) + "\n{"
    )
    _, _, about = weights.load_half(path)
    card = write_card(tmp_path, about, 1_000_000, 2_000_000).read_text()
    assert (
        "muse nano train --minutes 1" in card
        and "1.0 million tokens in 1 minutes, 9 steps, on a test" in card
    )
    assert "| decline | instant |" in card
    assert (
        "`muse nano outside --out DIR`" in card
        and "`muse nano outside --verifiers --out DIR`" in card
    )


def test_what_fails_in_a_process_is_raised_here(tmp_path):
    with pytest.raises(Exception, match="nowhere"):
        list(
            run_evals(plan_evals(["decline"], ["instant"], LIKE), str(tmp_path / "nowhere"), jobs=1)
        )


def test_tasks_have_sizes():
    assert load_task("countdown-3").sizes == (3,)
