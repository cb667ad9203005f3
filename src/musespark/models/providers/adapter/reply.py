"""A provider's stream as deltas: text and thoughts as they come, calls whole at the end, and a running count of what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from musespark.content import Message, Request, Text, ToolCall
from musespark.models.estimate import CHARACTERS_PER_WRITTEN_TOKEN, estimate_prompt_tokens, estimate_written_tokens
from musespark.models.model import Delta, Finish, TextDelta, ThinkingDelta, ToolCallDelta, UsageDelta
from musespark.models.providers.adapter.conversation import from_provider_response
from musespark.models.providers.prices import Price, get_billed_usd
from musespark.usage import Usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import StreamedResponse

    from musespark.models.providers.adapter.chat_fastpath import PlainReply

EVERY = 64
"""Estimated tokens between two reports; whoever stops a call counts what came after the last in the same way."""

_PIECES = (TextDelta, ThinkingDelta)


class ResponseTranslator:
    """One reply as it comes in.

    Most providers tell what was used with the last event alone. Until then the count is an estimate by length, so that a budget
    can stop a call in time and a cancelled call costs about what it did cost; the last `UsageDelta` is what the provider says.
    """

    def __init__(self, name: str, origin: str, request: Request, price: Price, listed: bool) -> None:
        """listed: whether genai-prices may tell what the whole reply cost; else it is tokens times `price`."""
        self._name = name
        self._origin = origin
        self._price = price
        self._listed = listed
        self._prompt = estimate_prompt_tokens(request)
        self._stop = request.stop
        self._characters = 0
        self._reported = 0

    def begun(self) -> UsageDelta:
        """The provider has taken the request: what it read is counted from now on."""
        return UsageDelta(self._usage(self._prompt, 0))

    def tell(self, event: Any, stream: StreamedResponse | PlainReply) -> Iterator[Delta]:
        """The deltas that an event means."""
        delta = event if isinstance(event, _PIECES) else _delta(event)
        if delta is None:
            return
        yield delta
        self._characters += len(delta.text)
        written = estimate_written_tokens(self._characters)
        if written >= self._reported + EVERY:
            self._reported = written
            told = stream.usage
            yield UsageDelta(self._usage(told.input_tokens or self._prompt, max(told.output_tokens, written)))

    @property
    def said(self) -> bool:
        """Whether anything of an answer or a thought has come."""
        return self._characters > 0

    def end(self, response: ModelResponse) -> Iterator[Delta]:
        """What is said last: the calls, the whole usage, and the message as it goes into the conversation."""
        message = from_provider_response(response, self._name, self._origin)
        declined = get_refusal(response)
        if declined:
            yield TextDelta(declined)
            message = Message("assistant", (*message.parts, Text(declined, self._name)))
        for part in message.parts:
            if isinstance(part, ToolCall):
                yield ToolCallDelta(part)
        yield UsageDelta(self._total(response))
        if response.finish_reason == "length":
            yield Finish("length", "it reached the most tokens it may write", message)
        elif response.finish_reason == "content_filter":
            yield Finish("finished", "it declined" if declined else "the provider's filter stopped it", message)
        else:
            yield Finish("finished", "", message, find_stop_text(response, self._stop))

    def _total(self, response: ModelResponse) -> Usage:
        told = response.usage
        if not told.input_tokens and not told.output_tokens:
            return self._usage(self._prompt, estimate_written_tokens(self._characters + CHARACTERS_PER_WRITTEN_TOKEN - 1))
        usage = self._usage(told.input_tokens, told.output_tokens)
        exact = get_billed_usd(response) if self._listed else None
        return usage if exact is None else Usage(usage.tokens, usage.critical_path, usd=exact, prompt_tokens=usage.prompt_tokens,
                                                 calls=usage.calls)

    def _usage(self, prompt: int, written: int) -> Usage:
        return Usage(tokens=prompt + written, critical_path=written, prompt_tokens=prompt, calls=1,
                     usd=prompt * self._price.prompt + written * self._price.written)


def _delta(event: Any) -> TextDelta | ThinkingDelta | None:
    """The text or thought that an event brings, if it brings any."""
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta, ThinkingPart, ThinkingPartDelta

    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if text:
            return TextDelta(text)
        case PartStartEvent(part=ThinkingPart(content=text)) | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text)) if text:
            return ThinkingDelta(text)
    return None


def find_stop_text(response: ModelResponse, stop: tuple[str, ...]) -> str | None:
    """Which of the texts to stop at ended a reply, as `Finish` has it.

    Anthropic tells that one did, and pydantic-ai keeps that; which one is plain where there is one. vLLM tells the text itself.
    """
    details = response.provider_details or {}
    if details.get("finish_reason") == "stop_sequence":
        return stop[0] if len(stop) == 1 else ""
    told = details.get("stop_reason")
    return told if isinstance(told, str) and told in stop else None


def get_refusal(response: ModelResponse) -> str:
    """What a model said instead of answering, where its provider tells that apart; else nothing."""
    return str((response.provider_details or {}).get("refusal") or "")
