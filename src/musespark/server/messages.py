"""Anthropic's Messages: a body in, events out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from musespark.content import Effort, Image, Message, Part, Request, Text, ToolCall, ToolResult, ToolSpec, signed_again
from musespark.server import messages_body as b
from musespark.server.asked import Asked, decoded, instructions, is_remote, joined, picture, require_neutral, texts
from musespark.server.dialect import Around, Chunk, Chunks, Dialect
from musespark.server.failures import Failure
from musespark.server.options import EFFORTS, TeamOptions
from musespark.server.seals import unsealed
from musespark.server.telling import Called, Drew, Ended, Mused, Piece, Said, Sealed
from musespark.store.text import dumped

DEEP = 16_000
"""Tokens of a thinking budget from which it counts as a high effort."""


class Messages(Dialect[b.MessagesBody]):
    """Messages."""

    name = "messages"
    path = "/v1/messages"
    prefix = "msg_"
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    body = b.MessagesBody

    def remote_pictures(self, body: b.MessagesBody) -> list[str]:
        """The addresses of pictures that are somewhere else."""
        return _remote(body)

    def read(self, body: b.MessagesBody, around: Around) -> Asked:
        """What was asked. Raises the kinds of `BadInput`."""
        require_neutral(body, top_k=(), container=(), diagnostics=())
        tools, choice = body.tools or [], body.tool_choice
        request = _request(body, around, max_tokens=body.max_tokens, temperature=body.temperature, top_p=body.top_p,
                           stop=tuple(dict.fromkeys(text for text in body.stop_sequences or () if text)))
        team = body.muse or around.team or TeamOptions()
        return Asked(
            model=body.model, request=request, conversation=request.messages, team=team, stream=bool(body.stream),
            effort=_effort(body), store=team.store is not False, strict=frozenset(tool.name for tool in tools if tool.strict),
            one_call=bool(getattr(choice, "disable_parallel_tool_use", False)))

    def chunks(self, asked: Asked, run: str, created: int) -> MessageChunks:
        """The events of a reply."""
        return MessageChunks(f"{self.prefix}{run}", asked.model)

    def whole(self, chunks: Iterable[Chunk]) -> Chunk:
        """The message that the events add up to."""
        message: Chunk = {}
        written = ""
        for chunk in chunks:
            match chunk["type"]:
                case "message_start":
                    message = {**chunk["message"], "content": []}
                case "content_block_start":
                    message["content"].append(dict(chunk["content_block"]))
                    written = ""
                case "content_block_delta":
                    delta = {key: value for key, value in chunk["delta"].items() if key != "type"}
                    written += delta.pop("partial_json", "")
                    block = message["content"][-1]
                    block |= {key: block[key] + value for key, value in delta.items()}
                case "content_block_stop" if message["content"][-1]["type"] == "tool_use":
                    message["content"][-1]["input"] = json.loads(written)
                case "message_delta":
                    message |= {**chunk["delta"], "usage": {**message["usage"], **chunk["usage"]}, "muse": chunk["muse"]}
        return message

    def error(self, failure: Failure, request: str) -> Chunk:
        """An error as the protocol has it."""
        kind = _KINDS.get(failure.status, "invalid_request_error" if failure.status < 500 else "api_error")
        where = f" ({failure.param})" if failure.param and failure.param not in failure.message else ""
        return {"type": "error", "error": {"type": kind, "message": failure.message + where, "code": failure.code},
                "request_id": request}

    def frame(self, chunk: Chunk) -> bytes:
        """An event as it is sent."""
        return b"event: %s\ndata: %s\n\n" % (chunk["type"].encode(), dumped(chunk))


_KINDS = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error",
          503: "overloaded_error", 504: "timeout_error"}


def _request(body: b.CountBody, around: Around, **sampling: Any) -> Request:
    """The conversation with its tools and its form. Raises the kinds of `BadInput`."""
    require_neutral(body, context_management=(), mcp_servers=([],), speed=("standard",))
    system = body.system if isinstance(body.system, str) else "\n".join(block.text for block in body.system or ())
    form = body.output_config.format if body.output_config else None
    return Request(
        messages=(*instructions(system), *joined(_messages(body.messages, around))),
        tools=tuple(ToolSpec.of(tool.name, tool.description or "", tool.input_schema) for tool in body.tools or ()),
        tool_choice=_choice(body.tool_choice), schema=None if form is None else json.dumps(form.schema_), **sampling)


def counted(body: b.CountBody) -> Request:
    """The request as far as its tokens go: no picture is fetched for that. Raises the kinds of `BadInput`."""
    unseen = Image(b"?", "image/png")
    return _request(body, Around(pictures=dict.fromkeys(_remote(body), unseen)))


def _remote(body: b.CountBody) -> list[str]:
    """The addresses of pictures that are somewhere else."""
    blocks: list[Any] = [block for turn in body.messages if isinstance(turn.content, list) for block in turn.content]
    inner = [item for block in blocks if isinstance(block, b.ToolResultBlock) and isinstance(block.content, list)
             for item in block.content]
    sources = [block.source for block in (*blocks, *inner) if isinstance(block, b.ImageBlock)]
    return [source.url for source in sources if isinstance(source, b.UrlSource) and is_remote(source.url)]


def _effort(body: b.MessagesBody) -> Effort | None:
    """A named effort counts; else what a budget of thought amounts to."""
    if body.output_config and body.output_config.effort:
        return EFFORTS[body.output_config.effort]
    match body.thinking:
        case b.Enabled(budget_tokens=tokens):
            return Effort.HIGH if tokens >= DEEP else Effort.MEDIUM
        case b.Disabled():
            return Effort.NONE
        case None | b.Adaptive():
            return None


def _choice(choice: b.Auto | b.AnyTool | b.OneTool | b.NoTool | None) -> str:
    match choice:
        case None | b.Auto():
            return "auto"
        case b.AnyTool():
            return "required"
        case b.OneTool(name=name):
            return name
        case b.NoTool():
            return "none"


def _messages(turns: list[b.Turn], around: Around) -> Iterator[Message]:
    """A turn with results of tools is two: the results, then what the person says."""
    for index, turn in enumerate(turns):
        where = f"messages[{index}].content"
        match turn:
            case b.SystemTurn(content=content):
                yield from instructions(content if isinstance(content, str) else "".join(block.text for block in content))
            case b.AssistantTurn(content=content):
                yield Message("assistant", texts(content) if isinstance(content, str) else texts(_said(content)))
            case b.UserTurn(content=str() as content):
                yield Message("user", texts(content))
            case b.UserTurn(content=list() as blocks):
                yield from _turn(blocks, around, where)
            case _:
                assert_never(turn)  # type: ignore[arg-type]


def _turn(blocks: list[b.UserBlock], around: Around, where: str) -> Iterator[Message]:
    at = [(f"{where}[{number}]", block) for number, block in enumerate(blocks)]
    yield Message("tool", tuple(_result(block, around, here) for here, block in at if isinstance(block, b.ToolResultBlock)))
    yield Message("user", texts(_seen(block, around, here) for here, block in at if not isinstance(block, b.ToolResultBlock)))


def _said(blocks: list[b.SaidBlock]) -> tuple[Part, ...]:
    """What the assistant said, with what its provider had signed of it."""
    said: list[Part] = []
    signed: list[Part] = []
    for block in blocks:
        match block:
            case b.TextBlock():
                said.append(Text(block.text))
            case b.ToolUseBlock():
                said.append(ToolCall(block.id, block.name, json.dumps(block.input)))
            case b.ThinkingBlock():
                signed += unsealed(block.signature)
    return signed_again(said, signed)


def _result(block: b.ToolResultBlock, around: Around, where: str) -> ToolResult:
    content = block.content if isinstance(block.content, list) else [b.TextBlock(type="text", text=block.content or "")]
    parts = tuple(_seen(item, around, f"{where}.content[{number}]") for number, item in enumerate(content))
    return ToolResult(block.tool_use_id, parts, bool(block.is_error))


def _seen(block: b.Seen, around: Around, where: str) -> Text | Image:
    if isinstance(block, b.TextBlock):
        return Text(block.text)
    if isinstance(block.source, b.UrlSource):
        return picture(block.source.url, around.pictures, f"{where}.source.url")
    return decoded(block.source.data, f"{where}.source.data")


class MessageChunks(Chunks):
    """The events of one message: blocks one after the other, each closed before the next."""

    def __init__(self, id: str, model: str) -> None:
        self._id, self._model = id, model
        self._index = -1
        self._open = ""
        """The kind of the block that is open."""

    def begin(self) -> list[Chunk]:
        """Who speaks."""
        message: Chunk = {
            "id": self._id, "type": "message", "role": "assistant", "model": self._model, "content": [], "stop_reason": None,
            "stop_sequence": None, "usage": {"input_tokens": 0, "output_tokens": 0}}
        return [{"type": "message_start", "message": message}, {"type": "ping"}]

    def tell(self, piece: Piece) -> list[Chunk]:
        """What a piece becomes."""
        match piece:
            case Mused():
                return [*self._in("thinking", {"thinking": "", "signature": ""}),
                        self._delta({"type": "thinking_delta", "thinking": piece.text})]
            case Said():
                return [*self._in("text", {"text": ""}), self._delta({"type": "text_delta", "text": piece.text})]
            case Drew():
                return []  # the protocol has no place for them; the `muse` block links to them
            case Sealed():
                return [*self._close(), *self._in("thinking", {"thinking": "", "signature": ""}), *self._close(piece.seal)]
            case Called(call=call):
                begun = {"id": call.id, "name": call.name, "input": {}}
                return [*self._close(), *self._in("tool_use", begun),
                        self._delta({"type": "input_json_delta", "partial_json": _object(call.arguments)})]
            case Ended():
                usage = {"input_tokens": piece.usage.prompt_tokens, "output_tokens": piece.usage.tokens - piece.usage.prompt_tokens}
                return [*self._close(), {"type": "message_delta", "delta": _stopped(piece), "usage": usage, "muse": piece.muse},
                        {"type": "message_stop"}]

    def failed(self, failure: Failure) -> list[Chunk]:
        """The event of an error, which the SDK raises."""
        return [Messages().error(failure, self._id)]

    def _in(self, kind: str, begun: dict[str, Any]) -> list[Chunk]:
        """Open a block of that kind, unless it is open."""
        if self._open == kind:
            return []
        closed = self._close()
        self._open = kind
        self._index += 1
        return [*closed, {"type": "content_block_start", "index": self._index, "content_block": {"type": kind, **begun}}]

    def _delta(self, delta: dict[str, Any]) -> Chunk:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _close(self, seal: str = "") -> list[Chunk]:
        if not self._open:
            return []
        # Progress is nobody's signed thought: the signature that closes a block is empty, but for the block that is nothing else.
        signed = [self._delta({"type": "signature_delta", "signature": seal})] if self._open == "thinking" else []
        self._open = ""
        return [*signed, {"type": "content_block_stop", "index": self._index}]


def _stopped(ended: Ended) -> Chunk:
    """Why the message ended; where a text to stop at ended it, which one, if that is known."""
    if ended.called:
        return {"stop_reason": "tool_use", "stop_sequence": None}
    if ended.finish_reason != "finished":
        return {"stop_reason": "max_tokens", "stop_sequence": None}
    return {"stop_reason": "end_turn" if ended.stop is None else "stop_sequence", "stop_sequence": ended.stop or None}


def _object(arguments: str) -> str:
    """The arguments as JSON of an object, which the protocol demands; what a model wrote instead is shown in one."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        value = arguments
    return arguments if isinstance(value, dict) else json.dumps({"not_an_object": value})
