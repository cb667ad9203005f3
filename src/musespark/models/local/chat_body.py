"""A request as llama.cpp's chat body. The template in the file makes text of it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from musespark.content import Effort, Image, Message, Part, Request, Text, ToolCall, ToolResult

JSON = dict[str, Any]
MAX_SEED = 2**32 - 1
"""llama.cpp takes this seed as a request for a random one, and no larger one."""
SAMPLING = {
    "top_k": "top_k",
    "min_p": "min_p",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "repetition_penalty": "repeat_penalty",
}
"""llama.cpp's names of sampling options, by the name in a request."""
OWN_IMAGES = "(What you drew in your last reply.)"


def build_chat_body(request: Request, sampling: Mapping[str, float]) -> JSON:
    """Build the body of a request. sampling: defaults of options that it leaves open, under llama.cpp's names."""
    asked = {llama: getattr(request.sampling, name) for name, llama in SAMPLING.items()}
    options: JSON = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": None if request.seed is None else request.seed % MAX_SEED,
        "max_tokens": request.max_tokens,
        "stop": list(request.stop) or None,
        "logit_bias": request.sampling.options("logit_bias") or None,
        **sampling,
        **{option: value for option, value in asked.items() if value is not None},
    }
    if request.schema is not None:
        schema = {"name": "answer", "strict": True, "schema": json.loads(request.schema)}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.effort is not None:
        thinks = request.effort is not Effort.NONE
        options["chat_template_kwargs"] = {"enable_thinking": thinks}
    return {
        "messages": build_messages(request.messages),
        **_tools(request),
        **{option: value for option, value in options.items() if value is not None},
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "timings_per_token": True,
        "verbose": True,  # the last chunk then has the text that stopped it
    }


def prompt_texts(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Hashes that say what two bodies' prompts have in common: of what precedes the messages, then of each message."""
    before = {key: body.get(key) for key in ("tools", "response_format", "chat_template_kwargs")}
    parts = (json.dumps(part, sort_keys=True) for part in (before, *body["messages"]))
    return tuple(hashlib.blake2b(part.encode(), digest_size=16).hexdigest() for part in parts)


def build_messages(messages: Iterable[Message]) -> list[JSON]:
    """Build the messages: one system message at most, at the beginning, and no two of a person in a row, for templates allow no
    other."""
    built: list[JSON] = []
    for message in messages:
        for each in _build(message):
            last = built[-1] if built else None
            if each["role"] == "system" and last is not None:
                _add_to_system(built, each["content"])
            elif last is not None and last["role"] == each["role"] == "user":
                last["content"] = _joined(last["content"], each["content"])
            else:
                built.append(each)
    return built


def _build(message: Message) -> Iterator[JSON]:
    match message.role:
        case "system":
            yield {"role": "system", "content": message.text}
            if message.images:
                yield {"role": "user", "content": _content(message.images)}
        case "assistant":
            calls = [_call(part) for part in message.parts if isinstance(part, ToolCall)]
            if message.text or calls:
                with_calls = {"tool_calls": calls} if calls else {}
                yield {"role": "assistant", "content": message.text, **with_calls}
            if message.images:
                yield {"role": "user", "content": _content((Text(OWN_IMAGES), *message.images))}
        case _:
            yield from _results(message)
            said = [part for part in message.parts if isinstance(part, Text | Image)]
            if said:
                yield {"role": "user", "content": _content(said)}


def _results(message: Message) -> Iterator[JSON]:
    """The results of tools, then the images in them, which a template has no place for."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        text = "".join(part.text for part in result.content if isinstance(part, Text))
        yield {"role": "tool", "tool_call_id": result.call_id, "content": text}
    images = [part for result in results for part in result.content if isinstance(part, Image)]
    if images:
        yield {"role": "user", "content": _content(images)}


def _content(parts: Iterable[Part]) -> str | list[JSON]:
    """Text, or texts and images in order."""
    listed = list(parts)
    if all(isinstance(part, Text) for part in listed):
        return "".join(part.text for part in listed if isinstance(part, Text))
    return [_block(part) for part in listed if isinstance(part, Text | Image)]


def _block(part: Text | Image) -> JSON:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    data = base64.b64encode(part.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{data}"}}


def _call(call: ToolCall) -> JSON:
    function = {"name": call.name, "arguments": call.arguments}
    return {"type": "function", "id": call.id, "function": function}


def _add_to_system(built: list[JSON], text: str) -> None:
    if built[0]["role"] == "system":
        built[0]["content"] = f"{built[0]['content']}\n\n{text}"
    else:
        built.insert(0, {"role": "system", "content": text})


def _joined(first: str | list[JSON], second: str | list[JSON]) -> str | list[JSON]:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    blocks = [
        [{"type": "text", "text": each}] if isinstance(each, str) else each
        for each in (first, second)
    ]
    return [*blocks[0], *blocks[1]]


def _tools(request: Request) -> JSON:
    """The tools of a request; of a choice of one tool, that one alone."""
    is_named = request.tool_choice not in ("auto", "none", "required")
    tools = [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": json.loads(tool.parameters),
            },
        }
        for tool in request.tools
        if not is_named or tool.name == request.tool_choice
    ]
    if not tools:
        return {}
    return {"tools": tools, "tool_choice": "required" if is_named else request.tool_choice}
