"""Upper bound of the work that checking an answer against a JSON schema can take.

The cost is the number of subschemas that may be applied to one value of the answer. A few lines of references that name each other
twice reach a billion (`a` is all of `b` and `b`, `b` all of `c` and `c` ...). The bound is computed in a time that grows with the
schema and the depth of the answer alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any
from urllib.parse import unquote

MAX_SUBSCHEMAS = 5_000
"""Subschemas of one schema."""
MAX_CHECKS = 2_000_000
"""Applications of subschemas to all values of one answer together: half a second."""
MAX_DEPTH = 500
"""Levels of an answer."""

_SAME_VALUE = (
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
)
"""Keywords whose subschemas apply to the value itself."""
_ONE_CHILD = ("properties", "prefixItems")
"""Keywords whose subschemas each apply to another child of the value."""
_ANY_CHILD = (
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
)
"""Keywords whose subschemas may all apply to the same child of the value."""


class SchemaCost:
    """Graph of a schema's subschemas. Raises `ValueError` with a reason if the cost is unbounded or cannot be computed."""

    def __init__(self, schema: Any) -> None:
        self._root = schema
        self._nodes: dict[int, Any] = {}
        self._same_value: dict[int, list[int]] = {}
        self._one_child: dict[int, list[int]] = {}
        self._any_child: dict[int, list[int]] = {}
        self._anchors: dict[str, list[Any]] = {}
        self._collect()
        try:
            self._order = list(TopologicalSorter(self._same_value).static_order())
        except CycleError:
            raise ValueError("it refers to itself without end") from None

    def checks_per_value(self, depth: int) -> int:
        """Return how many subschemas may apply to one value down to that depth; counted no further than `MAX_CHECKS`."""
        most, above = 0, dict.fromkeys(self._nodes, 0)
        for level in range(depth + 1):
            now: dict[int, int] = {}
            for node in self._order:
                own = (
                    1
                    if level == 0
                    else (
                        max((above[each] for each in self._one_child[node]), default=0)
                        + sum(above[each] for each in self._any_child[node])
                    )
                )
                now[node] = min(
                    MAX_CHECKS + 1, own + sum(now[each] for each in self._same_value[node])
                )
            most = max(most, now[id(self._root)])
            if most > MAX_CHECKS or now == above:
                break
            above = now
        return most

    def _collect(self) -> None:
        waiting = [self._root]
        found: list[Any] = []
        while waiting:
            schema = waiting.pop()
            if id(schema) in self._nodes:
                continue
            self._nodes[id(schema)] = schema
            if len(self._nodes) > MAX_SUBSCHEMAS:
                raise ValueError(f"it has more than {MAX_SUBSCHEMAS:,} parts")
            found.append(schema)
            waiting += self._children(schema)
        for schema in found:  # references last, once every anchor is known; they may name subschemas that nothing else names
            self._same_value[id(schema)] = [
                id(each) for each in (*_subschemas(schema, _SAME_VALUE), *self._referenced(schema))
            ]

    def _children(self, schema: Any) -> list[Any]:
        """Return the subschemas directly within a schema, and those that it refers to by a JSON pointer."""
        if isinstance(schema, dict):
            if (
                schema is not self._root
                and isinstance(schema.get("$id"), str)
                and not schema["$id"].startswith("#")
            ):
                raise ValueError("it has an $id within, which is not supported here")
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(schema.get(keyword), str):
                    self._anchors.setdefault(schema[keyword], []).append(schema)
            if isinstance(schema.get("$id"), str) and schema["$id"].startswith("#"):
                self._anchors.setdefault(schema["$id"][1:], []).append(schema)
        self._one_child[id(schema)] = [id(each) for each in _subschemas(schema, _ONE_CHILD)]
        self._any_child[id(schema)] = [id(each) for each in _subschemas(schema, _ANY_CHILD)]
        placed = [each for name in _references(schema) if (each := self._at(name)) is not None]
        return [
            *_subschemas(schema, (*_SAME_VALUE, *_ONE_CHILD, *_ANY_CHILD, "$defs", "definitions")),
            *placed,
        ]

    def _referenced(self, schema: Any) -> Iterator[Any]:
        """Yield the subschemas that it refers to; references to other documents are refused when they would be fetched."""
        for name in _references(schema):
            at = self._at(name)
            yield from self._anchors.get(name[1:], []) if at is None else [at]

    def _at(self, name: str) -> Any:
        """Return the subschema at a pointer such as `#/$defs/a`; None if there is none."""
        if name != "#" and not name.startswith("#/"):
            return None
        found = self._root
        for step in name[2:].split("/") if len(name) > 1 else ():
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif (
                isinstance(found, list)
                and key.isascii()
                and key.isdigit()
                and int(key[:9]) < len(found)
            ):
                found = found[int(key[:9])]
            else:
                return None
        return found if isinstance(found, dict) else None


def _references(schema: Any) -> Iterator[str]:
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if isinstance(schema, dict) and isinstance(schema.get(keyword), str):
            yield schema[keyword]


def _subschemas(schema: Any, keywords: tuple[str, ...]) -> list[Any]:
    """Return the subschemas under some keywords."""
    found: list[Any] = []
    for keyword in keywords if isinstance(schema, dict) else ():
        value = schema.get(keyword)
        each = _values(keyword, value)
        found += [one for one in each if isinstance(one, dict)]
    return found


_MAPS = (
    "properties",
    "patternProperties",
    "dependentSchemas",
    "dependencies",
    "$defs",
    "definitions",
)


def _values(keyword: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value.values()) if keyword in _MAPS else [value]
    return []


def measure(answer: Any) -> tuple[int, int]:
    """Return the number of values in an answer and the depth of the deepest."""
    count, depth, level = 0, -1, [answer]
    while level:
        count, depth = count + len(level), depth + 1
        level = [
            below
            for value in level
            if isinstance(value, dict | list)
            for below in (value.values() if isinstance(value, dict) else value)
        ]
    return count, depth


def require_affordable(schema: str, answer: Any) -> None:
    """Raise `ValueError` if checking an answer could take too long."""
    count, depth = measure(answer)
    if depth > MAX_DEPTH:
        raise ValueError(f"it is more than {MAX_DEPTH} levels deep")
    if count * SchemaCost(json.loads(schema)).checks_per_value(depth) > MAX_CHECKS:
        raise ValueError("to check it would take too long")
