"""Thoughts on a grid: what is written down can be replayed on a canvas, and what is drawn there proves the answer."""

from __future__ import annotations

import random
import re
from collections import deque

import pytest
from hypothesis import given, settings, strategies as st

from musespark.nano import tiles, vocabulary as v
from musespark.nano.canvas import Canvas
from musespark.nano.tasks import grid
from musespark.nano.tasks.grid import STEPS, Grid
from musespark.nano.tasks.lake import Lake
from musespark.nano.tasks.maze import Maze
from musespark.nano.tasks.task import Task, TaskProblem, held_out as is_held_out
from musespark.nano.tiles import MOVES
from musespark.nano.trace import Trace

TASKS: list[Task] = [Lake(), Maze()]
ROOT, CONTINUED = 0, 1
"""The segments of the first thread: up to <spawn>, and from there on; the children follow."""
seeds = st.integers(0, 2**32)
tasks = st.sampled_from(TASKS)

BASE = r"<p\d+><t(?:[0-9]|[1-4]\d|5[01])>"
PATH = {tiles.path(move): move for move in MOVES}
FLOOD = r"(?:<@\d+>(?:<p\d+><t5[2-5]>)*)*"
WALK = r"(?:<p\d+><t5[6-9]>)*"
THINKING = re.compile(
    rf"<img>((?:{BASE})+)</img><img>({FLOOD})({WALK})</img><answer>([UDLR]+)<eos>"
)
PARENT = re.compile(
    rf"<img>((?:{BASE})+)</img><spawn>((?:<th>[UDLR])+)<join>((?:<ret>[UDLR]+)+)<answer>([UDLR]+)<eos>"
)
CHILD = re.compile(
    rf"<th>([UDLR])<go><img>(<p\d+><t5[6-9]>)({FLOOD})({WALK})</img><ret>([UDLR]*)<end>"
)


def thought(task: Task, seed: int, mode: str, held_out: bool = False) -> tuple[TaskProblem, Trace]:
    rng = random.Random(seed)
    problem = task.generate(rng, held_out)
    trace = Trace()
    task.write_thought(problem, mode, trace.root(), rng)
    return problem, trace


def text(trace: Trace, *segments: int) -> str:
    return "".join(v.decode(trace.segments[index].tokens) for index in segments)


def replay(canvas: Canvas, drawn: str) -> Canvas:
    for place, tile in re.findall(r"<p(\d+)><t(\d+)>", drawn):
        canvas.paint(int(place), int(tile))
    return canvas


def distance(board: Grid) -> int | None:
    """Steps from the start to the goal, by a search of its own."""
    steps, queue = {board.start: 0}, deque([board.start])
    while queue:
        cell = queue.popleft()
        row, column = divmod(cell, board.size)
        for move, (down, right) in STEPS.items():
            other = (row + down) * board.size + column + right
            if board.exits[cell] & grid.BIT[move] and other not in steps:
                steps[other] = steps[cell] + 1
                queue.append(other)
    return steps.get(board.goal)


def arrows_followed(board: Grid, canvas: Canvas) -> str:
    """The moves that the bold arrows on a canvas make, from the start to the goal."""
    moves, cell = "", board.start
    while cell != board.goal:
        arrow = canvas.layers(board.place(cell))[-1]
        assert arrow in PATH, "the path is drawn in bold"
        move = PATH[arrow]
        moves += move
        cell = board.after(cell, move)
        assert len(moves) <= board.size**2
    return moves


def redrawn(board: Grid, drawn: str) -> bool:
    cells = [(board.place(cell), tile) for cell, tile in enumerate(board.tiles)]
    return cells == [
        (int(place), int(tile)) for place, tile in re.findall(r"<p(\d+)><t(\d+)>", drawn)
    ]


@settings(max_examples=120)
@given(tasks, seeds)
def test_the_solver_finds_shortest_ways(task: Task, seed: int) -> None:
    problem = task.generate(random.Random(seed), False)
    board = problem.facts["grid"]
    assert len(problem.answer) == distance(board)
    assert task.is_right(problem, problem.answer)


@settings(max_examples=100)
@given(tasks, seeds, st.text(MOVES + "x", max_size=20))
def test_only_shortest_ways_are_right(task: Task, seed: int, answer: str) -> None:
    problem = task.generate(random.Random(seed), False)
    cell: int | None = problem.facts["grid"].start
    for move in answer:
        cell = (
            problem.facts["grid"].after(cell, move) if move in MOVES and cell is not None else None
        )
    legal = cell == problem.facts["grid"].goal
    assert task.is_right(problem, answer) == (legal and len(answer) == len(problem.answer))
    assert not task.is_right(problem, problem.answer + "UD")
    assert not task.is_right(problem, problem.answer[:-1])


@settings(max_examples=100)
@given(tasks, seeds)
def test_thinking_draws_what_it_answers(task: Task, seed: int) -> None:
    problem, trace = thought(task, seed, "thinking")
    match = THINKING.fullmatch(text(trace, ROOT).removeprefix(f"<{task.name}>"))
    assert match
    board, (drawn, flood, walk, answer) = problem.facts["grid"], match.groups()
    assert redrawn(board, drawn)
    assert (
        arrows_followed(board, replay(Canvas(), drawn + flood + walk)) == answer == problem.answer
    )
    looked = [int(place) for place in re.findall(r"<@(\d+)>", flood)]
    assert looked[0] == board.place(board.goal)
    assert re.findall(r"<p(\d+)>", flood)[-1] == str(board.place(board.start)), (
        "the flood stops where it found the start"
    )
    assert [
        len(layers) for layers in (replay(Canvas(), flood).layers(place) for place in range(64))
    ].count(2) == 0


@settings(max_examples=100)
@given(tasks, seeds)
def test_a_team_draws_what_it_returns(task: Task, seed: int) -> None:
    problem, trace = thought(task, seed, "contemplating")
    parent, *children = (
        text(trace, ROOT),
        *(text(trace, index) for index in range(CONTINUED + 1, len(trace.segments))),
    )
    match = PARENT.fullmatch((parent + text(trace, CONTINUED)).removeprefix(f"<{task.name}>"))
    assert match
    board, (drawn, branches, returns, answer) = problem.facts["grid"], match.groups()
    assert redrawn(board, drawn)
    threads = branches.split("<th>")[1:]
    assert threads == [move for move in MOVES if board.after(board.start, move) is not None]
    assert 1 <= len(children) == min(grid.TRAINED_THREADS, len(threads))
    returned = returns.split("<ret>")[1:]
    assert [path[0] for path in returned] == [
        move for move in threads if move in {path[0] for path in returned}
    ]
    assert answer == min(returned, key=len)
    assert task.is_right(problem, answer)
    written = [child for child in (CHILD.fullmatch(child) for child in children) if child]
    assert len(written) == len(children)
    for child in written:
        move, first, flood, walk, path = child.groups()
        assert path == next((known for known in returned if known[0] == move), "")
        assert first == f"<p{board.place(board.start)}><t{tiles.path(move)}>"
        if path:
            assert arrows_followed(board, replay(Canvas(), drawn + first + flood + walk)) == path
    assert any(child.group(5) for child in written)


@settings(max_examples=60)
@given(tasks, seeds)
def test_a_thread_returns_the_shortest_way_that_begins_with_its_move(task: Task, seed: int) -> None:
    problem, trace = thought(task, seed, "contemplating")
    board = problem.facts["grid"]
    returned = dict.fromkeys(MOVES, "") | {
        path[0]: path for path in re.findall(r"<ret>([UDLR]+)", text(trace, CONTINUED))
    }
    for move in MOVES:
        first = board.after(board.start, move)
        if first is None:
            assert not returned[move]
            continue
        exits = list(board.exits)
        for step in MOVES:  # no path comes back to the start
            beside = board.after(board.start, step)
            if beside is not None:
                exits[beside] &= ~grid.BIT[grid.BACK[step]]
        rest = distance(Grid(board.size, first, board.goal, tuple(exits), board.tiles))
        assert (len(returned[move]) - 1 == rest) if returned[move] else rest is None


@settings(max_examples=40)
@given(tasks, seeds)
def test_an_instant_answer_is_the_canonical_one(task: Task, seed: int) -> None:
    problem, trace = thought(task, seed, "instant")
    assert text(trace, ROOT) == f"<{task.name}><answer>{problem.answer}<eos>"


@settings(max_examples=40)
@given(tasks, seeds, st.sampled_from(["instant", "thinking", "contemplating"]))
def test_only_branches_and_returns_are_given(task: Task, seed: int, mode: str) -> None:
    _, trace = thought(task, seed, mode)
    for index, segment in enumerate(trace.segments):
        learned = v.decode(
            token for token, weight in zip(segment.tokens, segment.weights, strict=True) if weight
        )
        given_ = v.decode(
            token
            for token, weight in zip(segment.tokens, segment.weights, strict=True)
            if not weight
        )
        assert set(segment.weights) <= {0.0, 1.0}
        if mode != "contemplating" or index == ROOT:
            assert not given_
        else:
            assert re.fullmatch(
                r"(<ret>[UDLR]+)+" if index == CONTINUED else r"<th>[UDLR]<go>", given_
            )
            assert (
                "<join><answer>" in learned if index == CONTINUED else learned.startswith("<img>")
            )


@settings(max_examples=60)
@given(tasks, seeds, st.booleans())
def test_a_problem_is_on_the_side_that_was_asked_for(task: Task, seed: int, held_out: bool) -> None:
    problem = task.generate(random.Random(seed), held_out)
    assert is_held_out(problem.key) == held_out
    assert problem.image is not None
    assert problem.image.dtype == "uint8"
    assert problem.image.shape[2] == 3
    again = task.generate(random.Random(seed), held_out)
    assert (again.question, again.key, again.answer) == (
        problem.question,
        problem.key,
        problem.answer,
    )
    assert (again.image == problem.image).all()


@pytest.mark.parametrize("module", ["lake", "maze"])
def test_there_are_a_dozen_ways_to_ask(module: str) -> None:
    questions = __import__(f"musespark.nano.tasks.{module}", fromlist=["QUESTIONS"]).QUESTIONS
    assert len(set(questions)) == len(questions) >= 12
    assert all(
        25 <= len(question) <= 90 and v.UNKNOWN not in v.encode(question) for question in questions
    )


def test_a_longer_way_is_wrong_only_where_a_shortest_one_was_asked_for():
    maze = Grid(
        2,
        0,
        1,
        (tiles.R | tiles.D, tiles.L | tiles.D, tiles.U | tiles.R, tiles.U | tiles.L),
        (0,) * 4,
    )
    assert (
        grid.judge(maze, "R", shortest=True) is True
        and grid.judge(maze, "R", shortest=False) is True
    )
    assert (
        grid.judge(maze, "DRU", shortest=True) is False
        and grid.judge(maze, "DRU", shortest=False) is None
    )
    assert grid.judge(maze, "D", shortest=False) is False
    walled = Grid(2, 0, 1, (tiles.D, 0, tiles.U, 0), (0,) * 4)
    assert grid.judge(walled, "R", shortest=False) is None
