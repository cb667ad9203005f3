"""Run a short Python program of a closed grammar and record every step, one small reduction at a time.

A step is a line of the program, then its effect, in fields that start with `#`: the expression with values substituted, one
reduction a field, and at last the change: `x = x + y * 2#3+7*2#3+14#x=17`. Each field follows from the one before it, and each
value is found by looking for the last `#x=`; no computation is hidden. Only generated programs run here; untrusted ones run in a
sandbox (`code_reading.py`).
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Value = int | str | list[int]
LARGEST = 200
"""Largest absolute value in a program: the model learns arithmetic by heart up to here."""
MOST_STEPS = 18
LONGEST_LIST = 6

_BINARY: dict[type[ast.operator], tuple[str, int, Callable[[int, int], int]]] = {
    ast.Add: ("+", 1, operator.add),
    ast.Sub: ("-", 1, operator.sub),
    ast.Mult: ("*", 2, operator.mul),
    ast.FloorDiv: ("//", 2, operator.floordiv),
    ast.Mod: ("%", 2, operator.mod),
}
_COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[int, int], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
_CALLS: dict[str, Callable[[list[int]], int]] = {"len": len, "sum": sum, "max": max, "min": min}


class UnsupportedProgram(Exception):
    """The program leaves the grammar or its limits; the generator draws another."""


@dataclass
class Execution:
    """Record of a run: the steps as the model should write them, and the output."""

    steps: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)

    @property
    def printed(self) -> str:
        return "\n".join(self.output)


def execute(source: str) -> Execution:
    """Run a program. Raises UnsupportedProgram if it leaves the grammar or its limits, or reads an unset variable."""
    machine = _Machine(source.splitlines())
    try:
        machine.block(ast.parse(source).body)
    except (
        SyntaxError,
        KeyError,
        IndexError,
        TypeError,
        AssertionError,
        ZeroDivisionError,
        ValueError,
    ) as error:
        raise UnsupportedProgram(str(error)) from error
    return machine.run


class _Machine:
    """State of a run: the variables and the record so far."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.values: dict[str, Value] = {}
        self.run = Execution()

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            match statement:
                case ast.Assign():
                    self._assign(statement)
                case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                    whole = ast.BinOp(ast.Name(target.id, ast.Load()), op, value)
                    self._set(statement, whole, name)
                case ast.If():
                    self._branch(statement)
                case ast.While():
                    while self._holds(statement):
                        self.block(statement.body)
                case ast.For(target=ast.Name(id=name)):
                    self._loop(statement, name)
                case ast.Expr(value=ast.Call() as call):
                    self._call(statement, call)
                case _:
                    raise UnsupportedProgram(ast.dump(statement))

    def _step(self, statement: ast.stmt, *effects: str) -> None:
        line = self.lines[statement.lineno - 1].strip()
        self.run.steps.append("#".join([line, *effects]))
        if len(self.run.steps) > MOST_STEPS:
            raise UnsupportedProgram("too many steps")

    def _assign(self, statement: ast.Assign) -> None:
        match statement.targets:
            case [ast.Name(id=name)]:
                self._set(statement, statement.value, name)
            case [ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)])]:
                forms, values = self._reduce(statement.value)
                assert isinstance(values, tuple)
                self.values[first], self.values[second] = values
                self._step(
                    statement, *forms, f"{first}={text(values[0])}", f"{second}={text(values[1])}"
                )
            case [ast.Subscript(value=ast.Name(id=name), slice=slot)]:
                forms, value = self._reduce(statement.value)
                _, index = self._reduce(slot)
                items = self._list(name)
                assert isinstance(index, int) and isinstance(value, int)
                items[index] = value
                self._step(statement, *forms, f"{name}[{index}]={value}", f"{name}={text(items)}")
            case _:
                raise UnsupportedProgram("target")

    def _set(self, statement: ast.stmt, expression: ast.expr, name: str) -> None:
        forms, value = self._reduce(expression)
        assert not isinstance(value, tuple | bool)
        self.values[name] = value
        self._step(statement, *forms, f"{name}={text(value)}")

    def _list(self, name: str) -> list[int]:
        items = self.values[name]
        if not isinstance(items, list):
            raise UnsupportedProgram("not a list")
        return items

    def _branch(self, statement: ast.If) -> None:
        if self._holds(statement):
            self.block(statement.body)
            return
        otherwise = statement.orelse
        if otherwise and not (
            isinstance(otherwise[0], ast.If) and otherwise[0].col_offset == statement.col_offset
        ):
            self.run.steps.append("else:")
        self.block(otherwise)

    def _holds(self, statement: ast.If | ast.While) -> bool:
        forms, truth = self._reduce(statement.test)
        if not isinstance(truth, bool):
            raise UnsupportedProgram("not a condition")
        self._step(statement, *forms, "T" if truth else "F")
        return truth

    def _loop(self, statement: ast.For, name: str) -> None:
        for form, value in self._turns(statement.iter):
            if value is None:
                self._step(statement, form, "end")
                return
            self.values[name] = value
            self._step(statement, form, f"{name}={value}")
            self.block(statement.body)

    def _turns(self, over: ast.expr) -> Iterator[tuple[str, int | None]]:
        """Yield the turns of a loop: the text that decides each, and the value of the loop variable, None at the end."""
        if (
            isinstance(over, ast.Call)
            and isinstance(over.func, ast.Name)
            and over.func.id == "range"
        ):
            bounds = [self._reduce(argument)[1] for argument in over.args]
            assert all(isinstance(bound, int) for bound in bounds)
            turns = range(*bounds)  # type: ignore[arg-type]
            sign = "<" if turns.step > 0 else ">"
            for value in turns:
                yield f"{value}{sign}{turns.stop}", value
            yield f"{turns.start + len(turns) * turns.step}{sign}{turns.stop}", None
            return
        _, items = self._reduce(over)
        if not isinstance(items, list):
            raise UnsupportedProgram("loop over what is no list")
        items = list(items)
        for index, item in enumerate(items):
            yield text(items[index:]), item
        yield "[]", None

    def _call(self, statement: ast.stmt, call: ast.Call) -> None:
        match call:
            case ast.Call(func=ast.Name(id="print"), args=arguments):
                forms, values = self._reduce(ast.Tuple(arguments, ast.Load()))
                assert isinstance(values, tuple)
                shown = " ".join(str(value) for value in values)
                self.run.output.append(shown)
                self._step(statement, *forms, f">{shown}")
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[argument]
            ):
                forms, value = self._reduce(argument)
                items = self._list(name)
                assert isinstance(value, int)
                items.append(value)
                if len(items) > LONGEST_LIST:
                    raise UnsupportedProgram("long list")
                self._step(statement, *forms, f"{name}={text(items)}")
            case _:
                raise UnsupportedProgram("call")

    def _reduce(self, expression: ast.expr) -> tuple[list[str], Value | bool | tuple[Value, ...]]:
        """Substitute values and reduce the expression: its forms on the way, and its value."""
        tree = self._put_in(expression)
        forms: list[str] = []
        while isinstance(tree, Node):
            forms.append(text(tree))
            tree = _once(tree)
        if isinstance(tree, list):
            tree = list(tree)
        return forms, tree

    def _put_in(self, expression: ast.expr) -> Tree:
        match expression:
            case ast.Constant(value=int() | str() as value) if not isinstance(value, bool):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
                return -value
            case ast.Name(id=name):
                return self.values[name]
            case ast.List(elts=items):
                plain = [self._put_in(item) for item in items]
                return (
                    Node("[", tuple(plain))
                    if any(isinstance(item, Node) for item in plain)
                    else plain
                )
            case ast.Tuple(elts=items):
                plain = [self._put_in(item) for item in items]
                return (
                    Node(",", tuple(plain))
                    if any(isinstance(item, Node) for item in plain)
                    else tuple(plain)
                )
            case ast.BinOp(left=left, op=op, right=right):
                return Node(_BINARY[type(op)][0], (self._put_in(left), self._put_in(right)))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return Node(_COMPARE[type(op)][0], (self._put_in(left), self._put_in(right)))
            case ast.Subscript(value=value, slice=slot):
                return Node("at", (self._put_in(value), self._put_in(slot)))
            case ast.Call(func=ast.Name(id=name), args=[argument]) if name in _CALLS:
                return Node(name, (self._put_in(argument),))
        raise UnsupportedProgram(ast.dump(expression))


@dataclass(frozen=True)
class Node:
    """An operation whose parts are values or further operations."""

    sign: str
    parts: tuple[Tree, ...]


Tree = Node | int | str | list[Any] | tuple[Any, ...]
_PLAIN = {sign: (rank, apply) for sign, rank, apply in _BINARY.values()} | {
    sign: (0, apply) for sign, apply in _COMPARE.values()
}


def _once(node: Node) -> Tree:
    """Do the first operation of a tree, in Python's order of evaluation."""
    for place, part in enumerate(node.parts):
        if isinstance(part, Node):
            parts = list(node.parts)
            parts[place] = _once(part)
            if node.sign in "[," and not any(isinstance(each, Node) for each in parts):
                return parts if node.sign == "[" else tuple(parts)
            return Node(node.sign, tuple(parts))
    return _apply(node)


def _apply(node: Node) -> Tree:
    if node.sign == "at":
        items, index = node.parts
        return items[index]  # type: ignore[index]
    if node.sign == "sum":
        return _as_additions(node.parts[0])
    if node.sign in _CALLS:
        (items,) = node.parts
        if not isinstance(items, list):
            raise UnsupportedProgram("not a list")
        return _CALLS[node.sign](items)
    left, right = node.parts
    if not isinstance(left, int) or not isinstance(right, int):
        raise UnsupportedProgram("only numbers are reckoned with")
    if node.sign in ("//", "%") and (left < 0 or right <= 0):
        raise UnsupportedProgram("division below zero")
    value = _PLAIN[node.sign][1](left, right)
    if abs(value) > LARGEST:
        raise UnsupportedProgram("large value")
    return value


def _as_additions(items: Tree) -> Tree:
    """Write a sum as additions, so that it is added up one pair at a time."""
    if not isinstance(items, list):
        raise UnsupportedProgram("not a list")
    total: Tree = items[0] if items else 0
    for item in items[1:]:
        total = Node("+", (total, item))
    return total


def text(tree: Tree, rank: int = -1) -> str:
    """Format the tree as Python without spaces, with as few brackets as possible; rank: precedence of the operation around it."""
    match tree:
        case list():
            return "[" + ",".join(text(item) for item in tree) + "]"
        case tuple():
            return ",".join(text(item) for item in tree)
        case Node(sign="[", parts=parts):
            return "[" + ",".join(text(part) for part in parts) + "]"
        case Node(sign=",", parts=parts):
            return ",".join(text(part) for part in parts)
        case Node(sign="at", parts=(items, index)):
            return f"{text(items)}[{text(index)}]"
        case Node(sign=name, parts=(argument,)):
            return f"{name}({text(argument)})"
        case Node(sign=sign, parts=(left, right)):
            own = _PLAIN[sign][0]
            inner = f"{text(left, own)}{sign}{text(right, own + 1)}"
            return f"({inner})" if own < rank else inner
    return str(tree)
