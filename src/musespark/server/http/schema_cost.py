"""How much work a JSON schema can make: how many of its parts may look at one and the same place of an answer.

A few lines of references that name each other twice are a billion looks (`a` is all of `b` and `b`, `b` all of `c` and `c` ...).
What is counted here is an upper bound, in a time that grows with the schema and the depth of the answer alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any
from urllib.parse import unquote

PARTS = 5_000
"""Of one schema."""
LOOKS = 2_000_000
"""At all places of one answer together: half a second."""
DEPTH = 500
"""Of an answer."""

_HERE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
"""Keywords whose schemas look at the same place."""
_APART = ("properties", "prefixItems")
"""Those whose schemas each look at another place below it."""
_BELOW = ("patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames", "items", "additionalItems",
          "unevaluatedItems", "contains")
"""Those that may all look at the same place below it."""


class SchemaCost:
    """The parts of a schema, and who looks where. Raises `ValueError` with a reason where that cannot be told, or has no end."""

    def __init__(self, schema: Any) -> None:
        self._root = schema
        self._nodes: dict[int, Any] = {}
        self._here: dict[int, list[int]] = {}
        self._apart: dict[int, list[int]] = {}
        self._below: dict[int, list[int]] = {}
        self._anchors: dict[str, list[Any]] = {}
        self._collect()
        try:
            self._order = list(TopologicalSorter(self._here).static_order())
        except CycleError:
            raise ValueError("it refers to itself without end") from None

    def looks(self, depth: int) -> int:
        """At one place that is at most so deep in an answer, at most so many; counted no further than `LOOKS`."""
        most, above = 0, dict.fromkeys(self._nodes, 0)
        for level in range(depth + 1):
            now: dict[int, int] = {}
            for node in self._order:
                own = 1 if level == 0 else (max((above[each] for each in self._apart[node]), default=0)
                                            + sum(above[each] for each in self._below[node]))
                now[node] = min(LOOKS + 1, own + sum(now[each] for each in self._here[node]))
            most = max(most, now[id(self._root)])
            if most > LOOKS or now == above:
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
            if len(self._nodes) > PARTS:
                raise ValueError(f"it has more than {PARTS:,} parts")
            found.append(schema)
            waiting += self._inside(schema)
        for schema in found:  # references, once every anchor is known; what they name may be parts that nothing else names
            self._here[id(schema)] = [id(each) for each in (*_of(schema, _HERE), *self._named(schema))]

    def _inside(self, schema: Any) -> list[Any]:
        """The schemas directly within one, and those that it refers to by their place."""
        if isinstance(schema, dict):
            if schema is not self._root and isinstance(schema.get("$id"), str) and not schema["$id"].startswith("#"):
                raise ValueError("it has an $id within, which is not supported here")
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(schema.get(keyword), str):
                    self._anchors.setdefault(schema[keyword], []).append(schema)
            if isinstance(schema.get("$id"), str) and schema["$id"].startswith("#"):
                self._anchors.setdefault(schema["$id"][1:], []).append(schema)
        self._apart[id(schema)] = [id(each) for each in _of(schema, _APART)]
        self._below[id(schema)] = [id(each) for each in _of(schema, _BELOW)]
        placed = [each for name in _references(schema) if (each := self._at(name)) is not None]
        return [*_of(schema, (*_HERE, *_APART, *_BELOW, "$defs", "definitions")), *placed]

    def _named(self, schema: Any) -> Iterator[Any]:
        """What it refers to; what is elsewhere is refused by whoever would have to fetch it."""
        for name in _references(schema):
            at = self._at(name)
            yield from self._anchors.get(name[1:], []) if at is None else [at]

    def _at(self, name: str) -> Any:
        """The schema at a place such as `#/$defs/a`; None where there is none."""
        if name != "#" and not name.startswith("#/"):
            return None
        found = self._root
        for step in name[2:].split("/") if len(name) > 1 else ():
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(found):
                found = found[int(key[:9])]
            else:
                return None
        return found if isinstance(found, dict) else None


def _references(schema: Any) -> Iterator[str]:
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if isinstance(schema, dict) and isinstance(schema.get(keyword), str):
            yield schema[keyword]


def _of(schema: Any, keywords: tuple[str, ...]) -> list[Any]:
    """The schemas that stand under some keywords."""
    found: list[Any] = []
    for keyword in keywords if isinstance(schema, dict) else ():
        value = schema.get(keyword)
        each = _values(keyword, value)
        found += [one for one in each if isinstance(one, dict)]
    return found


_MAPS = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")


def _values(keyword: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value.values()) if keyword in _MAPS else [value]
    return []


def places(answer: Any) -> tuple[int, int]:
    """How many values an answer has, and how deep the deepest is."""
    count, depth, level = 0, -1, [answer]
    while level:
        count, depth = count + len(level), depth + 1
        level = [below for value in level if isinstance(value, dict | list)
                 for below in (value.values() if isinstance(value, dict) else value)]
    return count, depth


def require_affordable(schema: str, answer: Any) -> None:
    """Raise `ValueError` where an answer could take longer to check than anybody waits."""
    count, depth = places(answer)
    if depth > DEPTH:
        raise ValueError(f"it is more than {DEPTH} levels deep")
    if count * SchemaCost(json.loads(schema)).looks(depth) > LOOKS:
        raise ValueError("to check it would take too long")
