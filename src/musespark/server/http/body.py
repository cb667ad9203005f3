"""Reading and validating request bodies: bounded in size, time and number of JSON tokens, with one sentence for an error."""

from __future__ import annotations

import asyncio
import codecs
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import pydantic
import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from musespark.server.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

MAX_BYTES = 27_000_000
"""Size of a body; an image of 20 MB grows by a third in base64."""
MAX_JSON_TOKENS = 200_000
"""Strings, field names, lists, objects and commas of a body: validating millions would take seconds and block other requests."""
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,\[{]', re.DOTALL)
_PACKINGS = ("identity", "gzip", "x-gzip", "deflate")
READ_TIMEOUT = 30.0
"""Seconds for the whole body to arrive."""


class StrictModel(BaseModel):
    """Base of request bodies: an unknown field is an error unless it is null, and no value is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        """Drop unknown fields that are null: clients send back objects with every field they know."""
        if isinstance(value, dict) and None in value.values():
            return {
                key: item
                for key, item in value.items()
                if item is not None or key in cls.model_fields
            }
        return value


class OpenModel(StrictModel):
    """Base of a protocol's bodies: unknown fields are kept, to be named in a warning."""

    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)


class LeftOutModel(OpenModel):
    """Base of parts, items and tools that are not known here, and left out as a whole."""

    type: str


def type_tag(tags: Mapping[str, str], missing: str = "other") -> Callable[[Any], str]:
    """Return a discriminator by the field `type`. missing: tag of a value without it; types beside `tags` are `other`."""

    def tag(value: Any) -> str:
        found = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
        return missing if found is None else tags.get(str(found), "other")

    return tag


def unknown_fields(body: OpenModel) -> list[str]:
    """Return the paths of the fields of a body that are not known, at every depth."""
    found: list[str] = []
    _add_unknown(body, "", found)
    return found


_PLAIN = frozenset({str, int, float, bool, dict, type(None)})
"""Types of values that have no fields of a body below them."""


def _add_unknown(value: Any, path: str, found: list[str]) -> None:
    """Add the unknown fields below a list or a model. Only what was sent is read of a model: bodies may have many parts."""
    if type(value) is list:
        for index, item in enumerate(value):
            if type(item) not in _PLAIN:
                _add_unknown(item, f"{path}[{index}]", found)
    elif not isinstance(value, LeftOutModel):
        start = f"{path}." if path else ""
        if value.__pydantic_extra__:
            found += (f"{start}{name}" for name in value.__pydantic_extra__)
        fields = value.__dict__
        for name in sorted(value.__pydantic_fields_set__):
            item = fields.get(name)  # None for an unknown field
            if type(item) not in _PLAIN:
                _add_unknown(item, f"{start}{name}", found)


Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)]

_Body = TypeVar("_Body", bound=StrictModel)


@dataclass
class BodyMemory:
    """Bytes of all bodies that are being read, with a limit: many bodies that never end would fill the memory."""

    limit: int = 256_000_000
    used: int = 0


async def read_body(http: HttpRequest) -> bytes:
    """Read the whole body. Raises `RequestRefused` (408, 413, 415, 429); a body whose declared length is too large is not read."""
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        raise RequestRefused(
            "The body must be JSON; send it with the header content-type: application/json.",
            status=415,
            code="not_json",
        )
    packing = http.headers.get("content-encoding", "identity").strip().lower()
    if packing not in _PACKINGS:
        raise RequestRefused(
            f"The body must not be compressed as {packing[:20]!r}; send it as gzip, or as it is.",
            status=415,
            code="not_json",
        )
    said = http.headers.get("content-length", "")
    if said.isdigit() and (len(said) > 12 or int(said) > MAX_BYTES):
        raise _too_large()
    pieces: list[bytes] = []
    size = 0
    memory: BodyMemory = http.app.state.body_memory
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            async for piece in http.stream():
                size += len(piece)
                memory.used += len(piece)
                if size > MAX_BYTES:
                    raise _too_large()
                if memory.used > memory.limit:
                    raise RequestRefused(
                        "The server is reading as many bodies as it can; retry in a moment.",
                        status=429,
                        code="busy",
                    )
                pieces.append(piece)
    except (
        ClientDisconnect
    ):  # the client does not read this, and it is no error of the server to log
        raise RequestRefused("The body broke off before its end.", code="not_json") from None
    except TimeoutError:
        raise RequestRefused(
            f"The body did not arrive within {READ_TIMEOUT:g} seconds.",
            status=408,
            code="slow_body",
        ) from None
    finally:
        memory.used -= size
    whole = b"".join(pieces)
    return whole if packing == "identity" else unpacked(whole)


def unpacked(raw: bytes) -> bytes:
    """Return what a body of gzip or zlib contains. Raises `RequestRefused`; no more than the size of a body is ever unpacked."""
    reader = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # either header
    try:
        whole = reader.decompress(raw, MAX_BYTES + 1)
    except zlib.error:
        raise RequestRefused(
            "The body is not compressed as its header says.", status=415, code="not_json"
        ) from None
    if len(whole) > MAX_BYTES:
        raise _too_large()
    if not reader.eof:
        raise RequestRefused("The body broke off before its end.", code="not_json")
    return whole


def _too_large() -> RequestRefused:
    return RequestRefused(
        f"The body is larger than {MAX_BYTES // 1_000_000} MB.", status=413, code="too_large"
    )


def parse_body(kind: type[_Body], raw: bytes) -> _Body:
    """Validate a body. Raises `RequestRefused` that names the invalid field."""
    raw = _whole_texts(raw.removeprefix(codecs.BOM_UTF8))
    _require_few_tokens(raw)
    try:
        return kind.model_validate_json(raw)
    except pydantic.ValidationError as error:
        raise _refused(error, raw) from None


_HALF = re.compile(
    rb"(?<!\\)((?:\\\\)*+)\\u(?:[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u)[dD][c-fC-F][0-9a-fA-F]{2})"
)
"""Half of a character beyond the first 65,536, without its other half; before it an even number of backslashes."""
_MAX_HALVES = 1000


def _whole_texts(raw: bytes) -> bytes:
    """Return JSON with the replacement character for each half of a character: clients cut texts within an emoji."""
    if rb"\ud" not in raw and rb"\uD" not in raw:
        return raw
    return _HALF.sub(rb"\1\\ufffd", raw, count=_MAX_HALVES)


def _require_few_tokens(raw: bytes) -> None:
    if (
        len(raw) <= MAX_JSON_TOKENS
        or sum(map(raw.count, (b'"', b",", b"[", b"{"))) <= MAX_JSON_TOKENS
    ):
        return  # true of almost all bodies: an image is one string, however large
    if next(islice(_TOKENS.finditer(raw), MAX_JSON_TOKENS, None), None) is not None:
        raise RequestRefused(
            f"The body has more than {MAX_JSON_TOKENS:,} JSON values; send fewer fields, messages or "
            "tools.",
            code="too_many",
        )


def parse_header(kind: type[_Body], name: str, value: str) -> _Body:
    """Validate the JSON of a header. Raises `RequestRefused`."""
    try:
        return parse_body(kind, value.encode("utf-8", "replace"))
    except RequestRefused as error:
        said = str(error)
        told = said.removeprefix("The body") if said.startswith("The body") else f": {said}"
        raise RequestRefused(f"The header {name}{told}", code=error.code, param=name) from None


def _refused(error: pydantic.ValidationError, raw: bytes) -> RequestRefused:
    """Describe the first error by its path in the body, without the names of our types."""
    problems = error.errors(include_url=False, include_context=True, include_input=False)
    if problems[0]["type"] == "json_invalid":
        reason = problems[0]["msg"].removeprefix("Invalid JSON: ")
        return RequestRefused(f"The body is not JSON that can be read: {reason}.", code="not_json")
    try:
        value = pydantic_core.from_json(raw)
    except ValueError:
        value = None
    # Of the alternatives that a value may match, the client meant the one whose error lies deepest.
    problem = max(
        problems,
        key=lambda each: (len(_path(each["loc"], value)), not each["type"].endswith("_type")),
    )
    path = _path(problem["loc"], value, is_missing=problem["type"] == "missing")
    return RequestRefused(f"{path or 'The body'}: {_sentence(problem)}", param=path or None)


def _path(location: tuple[int | str, ...], value: Any, is_missing: bool = False) -> str:
    """Return the path of an error, as in `messages[0].content`, without the alternatives that pydantic adds to it.

    is_missing: the last step is a field that is missing.
    """
    path = ""
    for step in location:
        if isinstance(step, int) and isinstance(value, list) and step < len(value):
            path, value = f"{path}[{step}]", value[step]
        elif isinstance(step, str) and isinstance(value, dict) and step in value:
            path, value = f"{path}.{step}" if path else step, value[step]
    if (
        is_missing
        and location
        and isinstance(value, dict)
        and isinstance(location[-1], str)
        and path.rpartition(".")[2] != location[-1]
    ):
        path = f"{path}.{location[-1]}" if path else str(location[-1])  # a field that is missing
    return path[:200]


_SENTENCES: Mapping[str, str] = {
    "extra_forbidden": "it is not known here; leave it out",
    "missing": "it is missing",
}


def _sentence(problem: Any) -> str:
    context = problem.get("ctx", {})
    match problem["type"]:
        case "union_tag_not_found":
            return f"it has no {context['discriminator'].strip(chr(39))}."
        case "union_tag_invalid":
            return (
                f"its {context['discriminator'].strip(chr(39))} {context['tag'][:60]!r} is not supported "
                f"here; it can be {context['expected_tags']}."
            )
    said = _SENTENCES.get(problem["type"]) or problem["msg"]
    said = said.removeprefix("Value error, ").rstrip(".")
    return f"{said[:1].lower()}{said[1:300]}."


async def wait_for_disconnect(receive: Receive) -> None:
    """Return once the client has disconnected; further data is ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass
