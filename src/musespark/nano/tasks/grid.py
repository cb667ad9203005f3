"""Search on grids, shared by lakes and mazes: cells, and the moves that each of them allows.

The thought is an image: redraw the map, run a breadth-first flood from the goal to the start that leaves an arrow towards the goal
in every cell, and follow the arrows. In contemplating mode each first move has a thread: it blocks the start, floods to the cell
that the move leads to, and returns a path that begins with its move.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from musespark.nano import tiles, vocabulary as v
from musespark.nano.tasks.task import TaskProblem
from musespark.nano.tiles import MOVES
from musespark.nano.trace import Branch

STEPS = {"U": (-1, 0), "D": (1, 0), "L": (0, -1), "R": (0, 1)}
BIT = {"U": tiles.U, "D": tiles.D, "L": tiles.L, "R": tiles.R}
BACK = {"U": "D", "D": "U", "L": "R", "R": "L"}
SIZES = (3, 4, 5, 6)
TRAINED_THREADS = 2
"""Number of threads that a training trace writes out; the returns of the others are forced."""


@dataclass(frozen=True)
class Grid:
    """A square map: cells are numbered row by row; `exits[cell]` is the sum of the moves (tiles.U ...) possible there."""

    size: int
    start: int
    goal: int
    exits: tuple[int, ...]
    tiles: tuple[int, ...]
    """Tile of each cell in the model's own drawing."""

    def after(self, cell: int, move: str) -> int | None:
        """Return the cell that a move leads to, or None if it is not possible."""
        if not self.exits[cell] & BIT[move]:
            return None
        down, right = STEPS[move]
        return cell + down * self.size + right

    def place(self, cell: int) -> int:
        """Return the place of a cell on the canvas: the map fills its top left corner."""
        return cell // self.size * v.GRID + cell % self.size


@dataclass(frozen=True)
class FloodStep:
    """One step of a flood: attend to a cell (`move` is empty), or reach a neighbour with the move that leads back from it."""

    cell: int
    move: str = ""


def flood(grid: Grid, until: int, blocked: int | None = None) -> Iterator[FloodStep]:
    """Search breadth first from the goal, neighbours in the order of MOVES, until the cell `until` or the end."""
    if grid.goal == until:
        return
    found = {grid.goal, blocked}
    heads = [grid.goal]
    for head in heads:
        yield FloodStep(head)
        for move in MOVES:
            cell = grid.after(head, move)
            if cell is None or cell in found:
                continue
            found.add(cell)
            heads.append(cell)
            yield FloodStep(cell, BACK[move])
            if cell == until:
                return


def follow(grid: Grid, start: int, arrows: dict[int, str]) -> list[tuple[int, str]] | None:
    """Follow the arrows from `start` to the goal: the cells with the moves made there, or None if an arrow is missing."""
    path, cell = [], start
    while cell != grid.goal:
        move = arrows.get(cell)
        following = grid.after(cell, move) if move else None
        if move is None or following is None:
            return None
        path.append((cell, move))
        cell = following
    return path


def arrows(steps: list[FloodStep]) -> dict[int, str]:
    """Collect the arrows that a flood leaves."""
    return {step.cell: step.move for step in steps if step.move}


def solve(grid: Grid) -> str | None:
    """Return the shortest path that the flood's arrows show, as moves; None if there is none."""
    path = follow(grid, grid.start, arrows(list(flood(grid, grid.start))))
    return None if path is None else "".join(move for _, move in path)


def is_shortest(grid: Grid, answer: str) -> bool:
    """Return True if the moves are possible one after the other, end at the goal, and could not be fewer."""
    best = solve(grid)
    return best is not None and len(answer) == len(best) and is_path(grid, answer)


def judge(grid: Grid, answer: str, shortest: bool) -> bool | None:
    """Return True for a shortest path, False for a wrong one; None for a longer path if the question did not demand a shortest."""
    if solve(grid) is None:
        return None
    right = is_shortest(grid, answer)
    return None if not right and not shortest and is_path(grid, answer) else right


def is_path(grid: Grid, answer: str) -> bool:
    """Return True if the moves are possible one after the other and end at the goal."""
    cell: int | None = grid.start
    for move in answer:
        cell = grid.after(cell, move) if move in STEPS and cell is not None else None
    return cell == grid.goal


def write_thought(grid: Grid, task: str, mode: str, branch: Branch, rng: random.Random) -> None:
    """Write the thought of a mode, from the task's token to <eos>."""
    best = solve(grid)
    assert best is not None, "a problem has a solution"
    branch.write(v.TASK_TOKENS[task])
    if mode == "thinking":
        _redraw(grid, branch)
        steps = list(flood(grid, grid.start))
        branch.write(v.IMG)
        _draw_flood(grid, steps, branch)
        _draw_path(grid, follow(grid, grid.start, arrows(steps)) or [], branch)
        branch.write(v.IMG_END)
    elif mode == "contemplating":
        best = _contemplate(grid, branch, rng)
    branch.write(v.ANSWER, best, v.EOS)


def _contemplate(grid: Grid, branch: Branch, rng: random.Random) -> str:
    """Spawn one thread for each first move; the answer is the first of the shortest returns."""
    _redraw(grid, branch)
    branch.write(v.SPAWN)
    returns = {
        move: _thread(grid, move, None)
        for move in MOVES
        if grid.after(grid.start, move) is not None
    }
    for move in _trained(returns, rng):
        _thread(grid, move, branch.fork().force(v.TH, move, v.GO))
    for move in returns:
        branch.write(v.TH, move)
    branch.write(v.JOIN)
    for path in filter(None, returns.values()):
        branch.force(v.RET, path)
    return min(filter(None, returns.values()), key=len)


def _trained(returns: dict[str, str], rng: random.Random) -> list[str]:
    """Choose the threads that a trace writes out: at random, but at least one that returns a path."""
    chosen = rng.sample(list(returns), min(TRAINED_THREADS, len(returns)))
    if not any(returns[move] for move in chosen):
        chosen[0] = rng.choice([move for move in returns if returns[move]])
    return chosen


def _thread(grid: Grid, move: str, branch: Branch | None) -> str:
    """Return the path of a first move's thread ("" if the goal is out of reach); write its thought if there is a branch."""
    first = grid.after(grid.start, move)
    assert first is not None, "a thread is spawned for a move that is possible"
    steps = list(flood(grid, first, blocked=grid.start))
    path = follow(grid, first, arrows(steps))
    returned = "" if path is None else move + "".join(step for _, step in path)
    if branch is not None:
        branch.write(v.IMG)
        _draw_path(grid, [(grid.start, move)], branch)
        _draw_flood(grid, steps, branch)
        _draw_path(grid, path or [], branch)
        branch.write(v.IMG_END, v.RET, returned, v.END)
    return returned


def _redraw(grid: Grid, branch: Branch) -> None:
    branch.write(v.IMG)
    for cell, tile in enumerate(grid.tiles):
        branch.write(v.place(grid.place(cell)), v.tile(tile))
    branch.write(v.IMG_END)


def _draw_flood(grid: Grid, steps: list[FloodStep], branch: Branch) -> None:
    for step in steps:
        if step.move:
            branch.write(v.place(grid.place(step.cell)), v.tile(tiles.flood(step.move)))
        else:
            branch.write(v.look(grid.place(step.cell)))


def _draw_path(grid: Grid, path: list[tuple[int, str]], branch: Branch) -> None:
    for cell, move in path:
        branch.write(v.place(grid.place(cell)), v.tile(tiles.path(move)))


class GridTask:
    """Thoughts and answers of lakes and mazes."""

    name: str

    def write_thought(
        self, problem: TaskProblem, mode: str, branch: Branch, rng: random.Random
    ) -> None:
        """Redraw, flood, follow."""
        write_thought(problem.facts["grid"], self.name, mode, branch, rng)

    def is_right(self, problem: TaskProblem, answer: str) -> bool:
        """Return True if the moves are possible, reach the goal, and are as few as possible."""
        return is_shortest(problem.facts["grid"], answer)
