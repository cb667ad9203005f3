"""Translation of messages to a provider's form and back.

A conversation may pass through several providers. The state that one of them attaches to a part (signed thoughts, encrypted
reasoning, ids of its own) is stored as one opaque text that names its owner, and returns only to the same provider at the same
address; no other sees it, nor the thoughts it belongs to. A call id that a provider would reject is replaced by its hash, the same
in a call and its result and in every turn; on our side the id stays as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from musespark.content import Image, Message, Part, Text, Thinking, ToolCall, ToolResult, Video
from musespark.models.providers.adapter.thoughts import ThoughtPiece, ThoughtSplitter

if TYPE_CHECKING:
    from pydantic_ai import messages as pydantic_messages

USUAL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Call ids that every provider accepts, except those that need an exact length."""
_STATE_FIELDS = ("id", "signature", "provider_name", "provider_details")
"""Fields of pydantic-ai's parts that only their provider can read."""


def to_provider_messages(
    messages: Sequence[Message], origin: str, system: str, id_length: int | None = None
) -> list[pydantic_messages.ModelMessage]:
    """Convert our messages to pydantic-ai's, for the provider at `origin`; `system` is its name in pydantic-ai.

    id_length: exact number of letters and digits in a call id; None: any id that matches `USUAL_ID`.
    """
    from pydantic_ai.messages import ModelRequest, ModelResponse

    sent: list[pydantic_messages.ModelMessage] = []
    pending: list[Any] = []
    calls = _CallIds(messages, origin, id_length)
    for message in messages:
        if message.role != "assistant":
            pending += _request_parts(message, calls)
            continue
        parts = list(_response_parts(message.parts, origin, calls))
        if parts:
            if pending:
                sent.append(ModelRequest(parts=pending))
                pending = []
            sent.append(
                ModelResponse(
                    parts=parts,
                    provider_name=system if any(p.provider_name for p in parts) else None,
                )
            )
        # No provider accepts images in an assistant message: they follow in the next user message, with a note.
        pending += _own_images(message)
    if pending:
        sent.append(ModelRequest(parts=pending))
    return sent


class _CallIds:
    """The tool calls of a conversation: the id that the provider sees, and the tool's name."""

    def __init__(self, messages: Sequence[Message], origin: str, id_length: int | None) -> None:
        calls = [
            part for message in messages for part in message.parts if isinstance(part, ToolCall)
        ]
        own = {
            call.id for call in calls if decode_provider_state(call.signature, origin) is not None
        }
        self._own = own
        self._id_length = id_length
        self._accepted = re.compile(f"[A-Za-z0-9]{{{id_length}}}") if id_length else USUAL_ID
        self._names = {call.id: call.name for call in calls}

    def id(self, id: str) -> str:
        """The id as the provider sees it: unchanged if it made it or accepts it, else a hash."""
        # OpenAI's adapter would split an id at a bar.
        if (id in self._own and "|" not in id) or self._accepted.fullmatch(id):
            return id
        digest = hashlib.sha256(id.encode()).hexdigest()
        return digest[: self._id_length] if self._id_length else f"call_{digest[:32]}"

    def name(self, id: str) -> str:
        return self._names.get(id, "tool")


def _request_parts(message: Message, calls: _CallIds) -> Iterator[Any]:
    """Parts of a system, user or tool message."""
    from pydantic_ai.messages import SystemPromptPart, ToolReturnPart, UserPromptPart

    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        yield ToolReturnPart(
            calls.name(result.call_id),
            _content(result.content),
            calls.id(result.call_id),
            outcome="failed" if result.failed else "success",
        )
    if message.role == "system":
        yield SystemPromptPart(message.text)
        shown: tuple[Part, ...] = message.images
    else:
        shown = tuple(part for part in message.parts if isinstance(part, Text | Image | Video))
    if shown:
        yield UserPromptPart(_content(shown))


def _content(parts: Sequence[Part]) -> Any:
    """Text, images and videos in order; a plain string if there is only text."""
    from pydantic_ai.messages import BinaryContent

    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [
        part.text
        if isinstance(part, Text)
        else BinaryContent(part.data, media_type=part.media_type)
        for part in parts
        if isinstance(part, Text | Image | Video)
    ]


def _own_images(message: Message) -> Iterator[Any]:
    if not message.images:
        return
    from pydantic_ai.messages import UserPromptPart

    yield UserPromptPart(["(What you drew in your last reply.)", *_content(message.images)])


def _response_parts(parts: Sequence[Part], origin: str, calls: _CallIds) -> Iterator[Any]:
    """Parts of an assistant message, each with its provider state if that belongs to `origin`."""
    from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

    for part in parts:
        state = (
            decode_provider_state(part.signature, origin)
            if isinstance(part, Text | Thinking | ToolCall)
            else None
        )
        match part:
            case Thinking() if state is not None:
                yield ThinkingPart(part.text, **state)
            case Text() if part.text or state:
                yield TextPart(part.text, **(state or {}))
            case ToolCall():
                own = {key: value for key, value in (state or {}).items() if key != "signature"}
                yield ToolCallPart(part.name, part.arguments, calls.id(part.id), **own)
            case _:
                pass  # a thought of another provider, or an image, which follows in the next user message


def from_provider_response(
    response: pydantic_messages.ModelResponse,
    name: str,
    origin: str,
    *,
    splits_thoughts: bool = False,
) -> Message:
    """Convert a provider's whole reply to our message. name: the model, as provenance of each part. splits_thoughts: take thoughts
    out of the texts."""
    from pydantic_ai.messages import FilePart, TextPart, ThinkingPart, ToolCallPart

    parts: list[Part] = []
    splitter = ThoughtSplitter() if splits_thoughts else None
    last_text = next(
        (part for part in reversed(response.parts) if isinstance(part, TextPart)), None
    )
    for part in response.parts:
        match part:
            case TextPart() if splitter is not None:
                pieces = [*splitter.feed(part.content)]
                pieces += splitter.end() if part is last_text else ()
                _add_pieces(parts, pieces, name, origin, response.provider_name)
            case TextPart():
                parts.append(Text(part.content, name, encode_provider_state(part, origin)))
            case ThinkingPart():
                parts.append(
                    Thinking(part.content, encode_provider_state(part, origin, always=True), name)
                )
            case ToolCallPart():
                # The text as the model wrote it; some providers send values and no text.
                arguments = (
                    (part.args or "{}")
                    if isinstance(part.args, str | None)
                    else part.args_as_json_str()
                )
                state = encode_provider_state(part, origin, always=True)
                parts.append(ToolCall(part.tool_call_id, part.tool_name, arguments, name, state))
            case FilePart() if part.content.is_image:
                parts.append(Image(part.content.data, part.content.media_type, name))
    return Message("assistant", tuple(parts))


def _add_pieces(
    parts: list[Part],
    pieces: Sequence[ThoughtPiece],
    name: str,
    origin: str,
    system: str | None,
) -> None:
    """Add the pieces of a split text to the parts of a message."""
    from pydantic_ai.messages import ThinkingPart

    def thinking(text: str) -> Thinking:
        part = ThinkingPart(text, id="content", provider_name=system)
        return Thinking(text, encode_provider_state(part, origin, always=True), name)

    for piece in pieces:
        last = parts[-1] if parts else None
        if piece.kind == "turned":
            parts[:] = [thinking(part.text) if isinstance(part, Text) else part for part in parts]
        elif piece.kind == "text" and isinstance(last, Text):
            parts[-1] = Text(last.text + piece.text, name)
        elif piece.kind == "text":
            parts.append(Text(piece.text, name))
        elif isinstance(last, Thinking):
            parts[-1] = Thinking(last.text + piece.text, last.signature, name)
        else:
            parts.append(thinking(piece.text))


def encode_provider_state(part: Any, origin: str, *, always: bool = False) -> str | None:
    """Encode the provider state of a part and its owner as text; None if there is none, unless `always`."""
    state = {key: value for key in _STATE_FIELDS if (value := getattr(part, key, None)) is not None}
    if not always and not state.keys() & {"id", "signature", "provider_details"}:
        return None
    return json.dumps({"origin": _seal(origin), **state}, sort_keys=True, default=str)


def _seal(origin: str) -> str:
    """Return the name of an origin that tells its address to nobody: clients are given the state."""
    return hashlib.sha256(origin.encode()).hexdigest()[:32]


def decode_provider_state(signature: str | None, origin: str) -> dict[str, Any] | None:
    """Decode a text of `encode_provider_state`; None if it belongs to another provider or is none."""
    if signature is None:
        return None
    try:
        state = json.loads(signature)
    except ValueError:
        return None  # another backend's, in a form of its own
    # A conversation that was stored earlier has the origin as it is.
    if not isinstance(state, dict) or state.pop("origin", None) not in (_seal(origin), origin):
        return None
    state = {key: value for key, value in state.items() if key in _STATE_FIELDS}
    is_valid = all(
        isinstance(value, dict if key == "provider_details" else str)
        for key, value in state.items()
    )
    return state if is_valid else None  # altered by a client
