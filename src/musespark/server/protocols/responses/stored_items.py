"""Items of stored responses under their ids: those that a response was given, and those that it gave."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

from musespark.content import Image, Message, Text, ToolCall, ToolResult
from musespark.server.protocols.base import Chunk

_ID = re.compile(r"[a-z]+_([0-9a-f]{32})_(in)?(\d+)")
_SUMMARY = "muse1:"
"""Start of a compaction's content, which is a text of ours in base64."""
_SHORT = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "image_generation_call": "ig",
}


def run_of_item(id: str) -> str | None:
    """Return the id of the run that an item belongs to; None if it is no item of this server's."""
    found = _ID.fullmatch(id)
    return found[1] if found else None


def input_items(run: str, conversation: Iterable[Message]) -> list[Chunk]:
    """Return a conversation as input items, with ids."""
    items = [item for message in conversation for item in _items(message)]
    return [
        {"id": f"{_SHORT[item['type']]}_{run}_in{number}", **item}
        for number, item in enumerate(items)
    ]


def _items(message: Message) -> Iterator[Chunk]:
    """Yield the items of a message: calls, results and drawn images are items of their own."""
    is_answer = message.role == "assistant"
    content: list[Chunk] = []
    others: list[Chunk] = []
    for part in message.parts:
        match part:
            case Text():
                content.append(
                    {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}
                    if is_answer
                    else {"type": "input_text", "text": part.text}
                )
            case Image() if not is_answer:
                content.append(_image(part))
            case Image():
                others.append({"type": "image_generation_call", "result": _base64(part)})
            case ToolCall():
                others.append(
                    {
                        "type": "function_call",
                        "call_id": part.id,
                        "name": part.name,
                        "arguments": part.arguments,
                    }
                )
            case ToolResult():
                output = "".join(each.text for each in part.content if isinstance(each, Text))
                seen = [_image(each) for each in part.content if isinstance(each, Image)]
                texts = [{"type": "input_text", "text": output}] if output else []
                others.append(
                    {
                        "type": "function_call_output",
                        "call_id": part.call_id,
                        "output": [*texts, *seen] if seen else output,
                    }
                )
    if content:
        yield {
            "type": "message",
            "role": message.role,
            "status": "completed",
            "content": content,
        }
    yield from ({**item, "status": "completed"} for item in others)


def _base64(image: Image) -> str:
    return base64.b64encode(image.data).decode("ascii")


def _image(image: Image) -> Chunk:
    return {
        "type": "input_image",
        "image_url": f"data:{image.media_type};base64,{_base64(image)}",
        "detail": "auto",
    }


def pack_summary(text: str) -> str:
    """Pack the summary of a conversation as the opaque content of a compaction."""
    return _SUMMARY + base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode("ascii")


def unpack_summary(packed: str) -> str | None:
    """Return the summary; None if another service made the compaction."""
    if not packed.startswith(_SUMMARY):
        return None
    try:
        data = base64.b64decode(packed.removeprefix(_SUMMARY), altchars=b"-_", validate=True)
        return data.decode("utf-8")
    except ValueError:
        return None


def summary_message(text: str) -> Message:
    """Return the message that stands for a compacted conversation."""
    return Message("assistant", (Text(f"Summary of our conversation so far:\n{text}"),))
