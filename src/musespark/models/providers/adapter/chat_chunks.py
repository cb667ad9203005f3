"""Chunks of Chat Completions in the form of the standard: thoughts, text, tool calls, the end, usage and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musespark.models.providers.adapter.token_counts import UNBELIEVABLE, read_count
from musespark.models.providers.adapter.tool_call_joiner import ToolCallJoiner

FINISH_REASONS: Mapping[str, str] = {
    **dict.fromkeys(("stop", "length", "tool_calls", "content_filter", "function_call"), ""),
    **dict.fromkeys(("max_tokens", "max_output_tokens", "max_new_tokens", "max_length"), "length"),
    **dict.fromkeys(("model_length", "token_limit", "context_length"), "length"),
    **dict.fromkeys(("model_context_window_exceeded", "length_capped"), "length"),
    **dict.fromkeys(("tool_call", "tool_use", "tool", "function"), "tool_calls"),
    **dict.fromkeys(("content-filter", "safety", "sensitive", "recitation"), "content_filter"),
    **dict.fromkeys(("blocklist", "prohibited_content", "spii"), "content_filter"),
    **dict.fromkeys(("guardrail_intervened", "content_filtered"), "content_filter"),
}
"""The standard's name of each end that servers give; empty for the standard's own. Any other end is a stop."""
FAILURES = ("error", "failed", "network_error", "engine_error", "insufficient_system_resource")
"""Ends that are failures."""
ABORTED = ("abort", "aborted", "cancelled", "canceled")
"""Ends of replies that broke off."""
_THOUGHT_FIELDS = ("reasoning_text", "thinking", "thinking_content", "thought", "thoughts")
"""Fields for thoughts, beside `reasoning` and `reasoning_content`."""
_LENGTH_WORDS = ("length", "max_tokens", "max_output", "token_limit")
"""Parts of further names for a reply that is too long."""
_COUNTS: Mapping[str, tuple[str, ...]] = {
    "prompt_tokens": ("prompt_tokens", "input_tokens", "promptTokens", "inputTokens"),
    "completion_tokens": ("completion_tokens", "output_tokens", "completionTokens", "outputTokens"),
}
"""Names of each count of tokens."""
_THOUGHT_PARTS = ("thinking", "reasoning", "thought", "reasoning_text", "summary_text")
_TEXT_FIELDS = ("text", "content", "thinking", "reasoning", "summary", "value")
MAX_DEPTH = 4
"""Lists and objects within each other in which a text is looked for."""


class ChunkNormalizer:
    """Normalizes the chunks of one reply, in order."""

    def __init__(self, thinking_field: str | None = None) -> None:
        """thinking_field: the field in which the model is known to send its thoughts."""
        self._known = (thinking_field, "reasoning", "reasoning_content")
        self._calls = ToolCallJoiner()
        self._has_text = False
        self._has_calls = False
        self._has_end = False
        self._index: Any = None
        """Number of the choice that is read, the first that came."""
        self._whole = ""
        """Text so far, of a server that sends messages instead of pieces."""

    def normalize(self, chunk: Any) -> dict[str, Any]:
        """The chunk in the standard's form, which may be the chunk itself, altered. Raises `TypeError` if it is none."""
        if not isinstance(chunk, dict):
            raise TypeError(f"a chunk of it is a {type(chunk).__name__}")
        if error := _find_error(chunk):
            return {"error": error}
        choices = chunk.get("choices")
        if isinstance(choices, dict):
            choices = chunk["choices"] = [choices]
        usage = chunk.get("usage") or _find_usage(chunk)
        if choices:
            choices = chunk["choices"] = self._choose(choices)
        if choices:
            choice = choices[0]
            self._normalize_choice(choice, chunk)
            usage = usage or choice.get("usage")
            if choice.get("finish_reason") == "error":
                return {
                    "error": {"message": "its reply ended with an error", "type": "server_error"}
                }
        if usage or "usage" in chunk:
            chunk["usage"] = _normalize_usage(usage) if usage else None
        return chunk

    def close(self) -> dict[str, Any] | None:
        """The end of a reply that is over and has something but no end; None for any other."""
        if self._has_end or not (self._has_text or self._has_calls):
            return None
        reason = "tool_calls" if self._has_calls else "stop"
        return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}

    def _choose(self, choices: list[Any]) -> list[Any]:
        """The one choice that is read: of several replies to one question, the others are not of this one."""
        if self._index is None:
            self._index = choices[0].get("index")
        return [each for each in choices if each.get("index") in (self._index, None)][:1]

    def _normalize_choice(self, choice: dict[str, Any], chunk: Mapping[str, Any]) -> None:
        delta = choice.get("delta")
        if not isinstance(delta, dict) or not delta:
            delta = choice["delta"] = self._whole_message(choice) or {}
        self._normalize_delta(delta)
        if not isinstance(choice.get("logprobs"), dict | None):
            del choice["logprobs"]
        finish = choice.get("finish_reason") or delta.pop("finish_reason", None)
        finish = finish or chunk.get("finish_reason")
        choice["finish_reason"] = self._finish_reason(finish) if finish else None
        self._has_end = self._has_end or bool(choice["finish_reason"])

    def _whole_message(self, choice: Mapping[str, Any]) -> dict[str, Any] | None:
        """The message of a server that sends the whole instead of pieces, unless the pieces have come already."""
        message = choice.get("message")
        if not isinstance(message, dict):
            message = {"content": choice["text"]} if isinstance(choice.get("text"), str) else None
            return message
        text = message.get("content")
        if self._whole and isinstance(text, str):  # longer each time, or the next piece
            more = text.removeprefix(self._whole)
            self._whole = text if text.startswith(self._whole) else self._whole + text
            return {"content": more}
        if self._has_text or self._has_calls:
            return None
        self._whole = text if isinstance(text, str) else ""
        return dict(message)

    def _normalize_delta(self, delta: dict[str, Any]) -> None:
        content = delta.get("content")
        if isinstance(content, list | dict):
            thought, text = _split_content(content)
            delta["content"] = text
            if thought and not self._thought(delta):
                delta["reasoning_content"] = thought
        elif content is not None and not isinstance(content, str):
            raise TypeError(f"a text of it is a {type(content).__name__}")
        if not self._thought(delta) and (thought := _other_thought(delta)):
            delta["reasoning_content"] = thought
        for field in self._known:
            if field and not isinstance(delta.get(field), str | None):
                delta.pop(field)
        self._has_text = self._has_text or bool(delta.get("content"))
        pieces = delta.get("tool_calls") or []
        if not pieces and isinstance(delta.get("function_call"), dict):
            pieces = [{"index": 0, "function": delta.pop("function_call")}]
        if pieces:
            pieces = pieces if isinstance(pieces, list) else [pieces]
            numbered = [self._calls.renumber(piece) for piece in pieces]
            delta["tool_calls"] = [piece for piece in numbered if piece is not None]
            self._has_calls = True

    def _thought(self, delta: Mapping[str, Any]) -> bool:
        """True if a thought stands in a field that the readers know."""
        return any(
            field and isinstance(delta.get(field), str) and delta[field] for field in self._known
        )

    def _finish_reason(self, finish: Any) -> str | None:
        """The standard's name of the end, `error` for a failure; None for a reply that broke off."""
        if isinstance(finish, dict):
            finish = finish.get("type") or finish.get("reason") or "stop"
        name = str(finish).lower()
        if name in FAILURES or name in ABORTED:
            return "error" if name in FAILURES else None
        other = "length" if any(word in name for word in _LENGTH_WORDS) else "stop"
        found = FINISH_REASONS.get(name, other) or name
        return "tool_calls" if found == "stop" and self._has_calls else found


def _split_content(content: Any) -> tuple[str, str]:
    """Thought and text of content that comes in parts."""
    thoughts: list[str] = []
    texts: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in _THOUGHT_PARTS:
            thoughts.append(_find_text(part))
        elif isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and kind in (None, "text", "output_text"):
            texts.append(_find_text(part))
        elif not isinstance(part, dict):
            raise TypeError(f"a part of it is a {type(part).__name__}")
    return "".join(thoughts), "".join(texts)


def _other_thought(delta: Mapping[str, Any]) -> str:
    """A thought in a field that the readers do not know, or in a form that they do not."""
    for field in ("reasoning_details", "reasoning", "reasoning_content", *_THOUGHT_FIELDS):
        value = delta.get(field)
        if value and (text := _find_text(value)):
            return text
    return ""


def _find_text(value: Any, depth: int = 0) -> str:
    """The text of a thought or a part, in any of the servers' wrappings."""
    if isinstance(value, str):
        return value
    if depth >= MAX_DEPTH:
        return ""
    if isinstance(value, list):
        return "".join(_find_text(each, depth + 1) for each in value)
    if isinstance(value, dict):
        for field in _TEXT_FIELDS:
            if value.get(field):
                return _find_text(value[field], depth + 1)
    return ""


def _normalize_usage(usage: Any) -> dict[str, Any] | None:
    """Numbers of tokens under the standard's names; None if there are none."""
    if not isinstance(usage, dict):
        return None
    read, written = (
        _count(next((usage[name] for name in names if usage.get(name) is not None), None))
        for names in _COUNTS.values()
    )
    if read > 0 and not written and (total := _count(usage.get("total_tokens"))) > read:
        written = total - read
    details = {
        field: usage[field]
        for field in ("prompt_tokens_details", "completion_tokens_details")
        if isinstance(usage.get(field), dict)
    }
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": max(0, read) + max(0, written),
        **details,
    }


def _find_usage(chunk: Mapping[str, Any]) -> Any:
    """Usage in the extension of a server (Groq: `x_groq`); None if there is none."""
    extension = chunk.get("x_groq")
    return extension.get("usage") if isinstance(extension, dict) else None


def _count(value: Any) -> int:
    """Number of tokens, which some servers send as text; `UNBELIEVABLE` for what cannot be one."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return UNBELIEVABLE
    return read_count(value)


def _find_error(chunk: Mapping[str, Any]) -> Any:
    """The error that a chunk is, in any of the servers' forms; None if it is none."""
    if chunk.get("error"):
        return _described(chunk["error"], chunk)
    if isinstance(chunk.get("errors"), list) and chunk["errors"]:
        return _described(chunk["errors"][0], chunk)
    base = chunk.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return {"message": base.get("status_msg") or "", "code": base["status_code"]}
    choices = chunk.get("choices")
    if choices:
        first = choices[0] if isinstance(choices, list) else choices
        error = first.get("error") if isinstance(first, dict) else None
        return _described(error, chunk) if error else None
    is_named = "error" in (chunk.get("object"), chunk.get("type"), chunk.get("status"))
    for field in ("message", "detail", "msg", "error_msg", "error_message"):
        if (
            isinstance(chunk.get(field), str | list)
            and chunk[field]
            and (is_named or "choices" not in chunk)
        ):
            return {
                "message": chunk[field],
                "code": chunk.get("code") or chunk.get("status_code"),
                "type": chunk.get("error_type") or (chunk.get("type") if not is_named else None),
            }
    return None


def _described(error: Any, chunk: Mapping[str, Any]) -> Any:
    """An error with a message, and the code beside it if it has none."""
    if not isinstance(error, dict):
        message = chunk.get("message") if error is True else error
        return {"message": str(message or "an error"), "code": chunk.get("code")}
    metadata = error.get("metadata")
    if isinstance(metadata, dict) and "raw" in metadata and not error.get("message"):
        error = {**error, "message": metadata["raw"]}
    return error
