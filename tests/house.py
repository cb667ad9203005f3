"""The package read as text: every module with its syntax tree, and what the rules of the house ask of them."""

from __future__ import annotations

import ast
import gc
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "musespark"
OPENERS = ("What", "Whether", "How", "Who", "Whoever", "Where", "Which", "That", "Those", "Of")
"""Words that no docstring begins with: it names its subject, or begins with a verb."""
_OPENER = re.compile(rf"\W*({'|'.join(OPENERS)})\b")

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of Python."""

    path: Path
    tree: ast.Module
    lines: int

    @property
    def name(self) -> str:
        """Path below the repository, for messages."""
        return self.path.relative_to(ROOT).as_posix()


@cache
def modules(folder: Path = PACKAGE) -> tuple[Module, ...]:
    """All files of Python below a folder, in order."""
    found = []
    gc.disable()  # it would look at millions of nodes again and again, and all of them are kept
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text("utf-8")
        found.append(Module(path, ast.parse(text), len(text.splitlines())))
    gc.freeze()
    gc.enable()
    return tuple(found)


def docstrings(module: Module) -> Iterator[tuple[int, str]]:
    """The line and the text of every docstring: of the module, of classes and functions, and below attributes."""
    for node in ast.walk(module.tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body:
            continue
        if isinstance(node, ast.Module | Definition) and (text := _text(body[0])) is not None:
            yield body[0].lineno, text
        for before, after in pairwise(body):
            if (
                isinstance(before, ast.Assign | ast.AnnAssign)
                and (text := _text(after)) is not None
            ):
                yield after.lineno, text


def _text(node: ast.stmt) -> str | None:
    is_text = (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
    return node.value.value if is_text else None


def wrong_openers() -> list[str]:
    """Every docstring of the package that begins with one of the `OPENERS`."""
    return [
        f"{module.name}:{line}: {text.strip().splitlines()[0]}"
        for module in modules()
        for line, text in docstrings(module)
        if _OPENER.match(text)
    ]


def repeated_classes() -> dict[str, list[str]]:
    """Public class names that stand in more than one place, with the places."""
    places = defaultdict(list)
    for module in modules():
        for node in _outermost(module.tree.body):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{module.name}:{node.lineno}")
    return {name: where for name, where in sorted(places.items()) if len(where) > 1}


def _outermost(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, those under an `if` or a `try` included."""
    for node in body:
        yield node
        for branch in ("body", "orelse", "finalbody") if isinstance(node, ast.If | ast.Try) else ():
            yield from _outermost(getattr(node, branch, []))


def left_out_of_maps() -> list[str]:
    """Every module and package that the docstring of its own package does not name."""
    missing = []
    for package in sorted(path.parent for path in PACKAGE.rglob("__init__.py")):
        text = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
        named = _named(text)
        missing += [
            f"{package.relative_to(ROOT).as_posix()}: {entry}"
            for entry in _entries(package)
            if entry not in named
        ]
    return missing


def _entries(package: Path) -> list[str]:
    """Names of the modules and packages right below a package."""
    files = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    return sorted(files | {path.parent.name for path in package.glob("*/__init__.py")})


def _named(text: str) -> set[str]:
    """Names that a map gives: in backticks, with `.py` or `/` after them, or in the first cell of a line (`agent  half a line`)."""
    cells = [re.split(r"\s{2,}|: | - ", line.strip(), maxsplit=1)[0] for line in text.splitlines()]
    leading = {
        name for cell in cells for name in re.split(r",\s*", cell) if re.fullmatch(r"\w+", name)
    }
    return leading | {
        Path(name).stem
        for name in re.findall(r"`([\w/]+(?:\.py)?)/?`|\b(\w+)\.py\b|\b(\w+)/", text)
        for name in (name if isinstance(name, tuple) else (name,))
        if name
    }


def long_files(most: int, *folders: str) -> list[str]:
    """Files with more lines than that."""
    return [
        f"{module.name}: {module.lines} lines"
        for folder in folders
        for module in modules(ROOT / folder)
        if module.lines > most
    ]


def long_functions(most: int, *folders: str) -> list[str]:
    """Functions with more lines than that below the signature, which is left out: that of a command is the table of its options."""
    return [
        f"{module.name}: {node.name}, {lines} lines"
        for folder in folders
        for module in modules(ROOT / folder)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.body[0].lineno + 1) > most
    ]
