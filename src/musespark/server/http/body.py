"""Bytes from outside as a checked body: bounded in size, time and depth, and with one sentence for what is wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic
import pydantic_core
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from musespark.server.errors import RequestRefused
from musespark.server.resolve.options import StrictModel

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

MAX_BYTES = 27_000_000
"""A picture of 20 MB grows by a third in base64."""
MAX_TOKENS = 200_000
"""Texts, names of fields, lists, objects and commas of a body: millions of them would take seconds to check, and hold up everybody
else."""
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,\[{]', re.DOTALL)
SECONDS = 30.0
"""For the whole body to arrive."""

_Body = TypeVar("_Body", bound=StrictModel)


@dataclass
class BodyMemory:
    """The bodies that are being read, of all requests together: many that never end would fill the memory."""

    most: int = 256_000_000
    """Bytes."""
    now: int = 0


async def read_body(http: HttpRequest) -> bytes:
    """The whole body. Raises `RequestRefused` (408, 413, 415, 429); nothing is read of one that says it is too large."""
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestRefused("The body must be JSON; send it with the header content-type: application/json.", status=415, code="not_json")
    if http.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused("The body must not be compressed.", status=415, code="not_json")
    said = http.headers.get("content-length", "")
    if said.isdigit() and (len(said) > 12 or int(said) > MAX_BYTES):
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    intake: BodyMemory = http.app.state.intake
    try:
        async with asyncio.timeout(SECONDS):
            async for piece in http.stream():
                size += len(piece)
                intake.now += len(piece)
                if size > MAX_BYTES:
                    raise _too_large()
                if intake.now > intake.most:
                    raise RequestRefused("The server reads as many bodies as it can; ask again in a moment.", status=429, code="busy")
                pieces.append(piece)
    except ClientDisconnect:  # nobody hears it, and it is no fault of the server's that its log should tell of
        raise RequestRefused("The body did not arrive to its end.", code="not_json") from None
    except TimeoutError:
        raise RequestRefused(f"The body did not arrive within {SECONDS:g} seconds.", status=408, code="slow_body") from None
    finally:
        intake.now -= size
    return b"".join(pieces)


def _too_large() -> RequestRefused:
    return RequestRefused(f"The body is larger than {MAX_BYTES // 1_000_000} MB.", status=413, code="too_large")


def parsed(kind: type[_Body], raw: bytes) -> _Body:
    """The body of that kind. Raises `RequestRefused` with the field that is wrong."""
    _require_few_tokens(raw)
    try:
        return kind.model_validate_json(raw)
    except pydantic.ValidationError as error:
        raise _refused(error, raw) from None


def _require_few_tokens(raw: bytes) -> None:
    if len(raw) <= MAX_TOKENS or sum(map(raw.count, (b'"', b",", b"[", b"{"))) <= MAX_TOKENS:
        return  # as almost all: a picture is one text, however large
    if next(islice(_TOKENS.finditer(raw), MAX_TOKENS, None), None) is not None:
        raise RequestRefused(f"The body has more than {MAX_TOKENS:,} parts, whatever they are; send fewer fields, messages or tools.",
                      code="too_many")


def parse_header(kind: type[_Body], name: str, value: str) -> _Body:
    """What a header says in JSON. Raises `RequestRefused`."""
    try:
        return parsed(kind, value.encode("utf-8", "replace"))
    except RequestRefused as error:
        said = str(error)
        told = said.removeprefix("The body") if said.startswith("The body") else f": {said}"
        raise RequestRefused(f"The header {name}{told}", code=error.code, param=name) from None


def _refused(error: pydantic.ValidationError, raw: bytes) -> RequestRefused:
    """The first thing that is wrong, in the words of the body and not of its types."""
    problems = error.errors(include_url=False, include_context=True, include_input=False)
    if problems[0]["type"] == "json_invalid":
        reason = problems[0]["msg"].removeprefix("Invalid JSON: ")
        return RequestRefused(f"The body is not JSON that can be read: {reason}.", code="not_json")
    try:
        value = pydantic_core.from_json(raw)
    except ValueError:
        value = None
    # Of the forms that a value may have, the one that was meant is the one that fits the furthest.
    problem = max(problems, key=lambda each: (len(_path(each["loc"], value)), not each["type"].endswith("_type")))
    path = _path(problem["loc"], value)
    return RequestRefused(f"{path or 'The body'}: {_sentence(problem)}", param=path or None)


def _path(location: tuple[int | str, ...], value: Any) -> str:
    """Where it is, as in `messages[0].content`: what pydantic adds about the types it tried is left out."""
    path = ""
    for step in location:
        if isinstance(step, int) and isinstance(value, list) and step < len(value):
            path, value = f"{path}[{step}]", value[step]
        elif isinstance(step, str) and isinstance(value, dict) and step in value:
            path, value = f"{path}.{step}" if path else step, value[step]
    if location and isinstance(value, dict) and isinstance(location[-1], str) and path.rpartition(".")[2] != location[-1]:
        path = f"{path}.{location[-1]}" if path else str(location[-1])  # a field that is missing
    return path[:200]


_SAID: Mapping[str, str] = {
    "extra_forbidden": "it is not known here; leave it out",
    "missing": "it is missing",
}


def _sentence(problem: Any) -> str:
    said = _SAID.get(problem["type"]) or problem["msg"]
    said = said.removeprefix("Value error, ").rstrip(".")
    return f"{said[:1].lower()}{said[1:300]}."


async def wait_for_disconnect(receive: Receive) -> None:
    """Wait until the client has left; what it still sends is nobody's."""
    while (await receive())["type"] != "http.disconnect":
        pass
