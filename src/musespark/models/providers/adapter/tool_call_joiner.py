"""Pieces of tool calls in a stream of Chat Completions, joined however a server numbers and names them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass
class _Call:
    """A call so far."""

    number: int
    index: int | None
    id: str
    name: str
    arguments: str

    @property
    def is_whole(self) -> bool:
        """True if its arguments are a whole JSON object: what follows them is another call's."""
        return _is_object(self.arguments)


class ToolCallJoiner:
    """Renumbers the pieces of one reply: each call has an index of its own, and its id and name come once.

    Servers leave out the index, use one for several calls, send the id or the name with every piece, or arguments as an object.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def renumber(self, piece: Any) -> dict[str, Any] | None:
        """The piece in the form of the standard; None for one that says nothing."""
        if not isinstance(piece, dict):
            return None
        function = piece.get("function")
        if not isinstance(function, dict):
            function = piece  # name and arguments without an envelope
        id, index = _text(piece.get("id")).strip(), piece.get("index")
        index = index if isinstance(index, int) and not isinstance(index, bool) else None
        name, arguments = _text(function.get("name")).strip(), _text(function.get("arguments"))
        call = self._find(id, index, name, arguments)
        if call is not None:
            return self._lengthen(call, id, name, arguments)
        if not (name or id or arguments):
            return None
        if any(each.id == id for each in self._calls):
            id = ""  # of another call: the reader gives it one
        number = len(self._calls)
        self._calls.append(_Call(number, index, id, name, arguments))
        return _piece(number, name, arguments, id)

    def _find(self, id: str, index: int | None, name: str, arguments: str) -> _Call | None:
        """The call that a piece goes on with; None if it begins one."""
        by_id = next((each for each in reversed(self._calls) if id and each.id == id), None)
        if by_id is not None:
            is_next = index is not None and index != by_id.index
            is_new = by_id.arguments.strip("{} ") and arguments != by_id.arguments
            is_other = name and (is_next or (is_new and _is_object(arguments))) and by_id.is_whole
            return None if is_other else by_id
        at_index = [each for each in self._calls if each.index == index]
        if index is None or not (at_index or name or id):
            at_index = self._calls
        if not at_index:
            return None
        last = at_index[-1]
        if id and last.id:
            return None if name else last  # some servers make up an id for every piece
        if name and last.name:
            return None if last.is_whole or (name != last.name and last.arguments) else last
        return last

    def _lengthen(self, call: _Call, id: str, name: str, arguments: str) -> dict[str, Any] | None:
        """The rest that a piece adds to a call."""
        more = ""
        if name and name != call.name:
            if name.startswith(call.name):
                more = name[len(call.name) :]
            elif not call.arguments:
                more = name
        if arguments and arguments in ("{}", call.arguments) and call.is_whole:
            arguments = ""  # sent again as a whole
        new_id = id if id and not call.id else ""
        call.name, call.arguments = call.name + more, call.arguments + arguments
        call.id = call.id or new_id
        return _piece(call.number, more, arguments, new_id) if more or arguments or new_id else None


def _piece(number: int, name: str, arguments: str, id: str) -> dict[str, Any]:
    function = {**({"name": name} if name else {}), "arguments": arguments}
    piece = {"index": number, "type": "function", "function": function}
    return {**piece, "id": id} if id else piece


def _is_object(arguments: str) -> bool:
    """True if a text is the JSON of one object."""
    try:
        return isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


def _text(value: Any) -> str:
    """A value as text: objects as JSON, nothing as an empty one."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
