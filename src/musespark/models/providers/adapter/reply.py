"""Translation of a provider's stream into deltas: text and thoughts as they come, tool calls at the end, and running usage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from musespark.content import Message, Request, Text, ToolCall
from musespark.models.estimate import (
    CHARACTERS_PER_WRITTEN_TOKEN,
    estimate_prompt_tokens,
    estimate_written_tokens,
)
from musespark.models.model import (
    AbstainedDelta,
    Delta,
    Finish,
    TextBecameThought,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    UsageDelta,
)
from musespark.models.providers.adapter.conversation import from_provider_response
from musespark.models.providers.adapter.thoughts import ThoughtPiece, ThoughtSplitter
from musespark.models.providers.adapter.token_counts import UNBELIEVABLE, read_count
from musespark.models.providers.adapter.tool_calls import repair_call
from musespark.models.providers.adapter.written_calls import find_written_calls
from musespark.models.providers.prices import Price, get_billed_usd
from musespark.usage import Usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import StreamedResponse

    from musespark.models.providers.adapter.chat_fastpath import ChatStream

REPORT_EVERY = 64
"""Estimated tokens between two usage reports; the caller estimates what came after the last one in the same way."""

DECLINED = "its model declined what was asked"
"""Reason for abstaining, of a model that refuses."""
_LENGTH_WORDS = ("length", "max_tokens", "max_output", "context_window")
_FILTER_WORDS = ("filter", "safety", "guardrail", "moderation", "blocked", "prohibited")
"""Parts of finish reasons of providers that are not in the protocol, as in `max_tokens` and `guardrail_intervened`."""
_DELTAS = (TextDelta, ThinkingDelta)


class ResponseTranslator:
    """Translates one reply.

    Most providers report usage with the last event only. Until then the count is an estimate by length, so that a budget can stop
    a call in time and a cancelled call is booked at about its cost; the last `UsageDelta` is the provider's own report.
    """

    def __init__(
        self,
        name: str,
        origin: str,
        request: Request,
        price: Price,
        has_list_price: bool,
        splits_thoughts: bool = False,
    ) -> None:
        """has_list_price: genai-prices may price the whole reply; otherwise the cost is tokens times `price`. splits_thoughts: True
        for a server that may leave thoughts within the text."""
        self._name = name
        self._origin = origin
        self._price = price
        self._has_list_price = has_list_price
        self._prompt = estimate_prompt_tokens(request)
        self._stop = request.stop
        self._schemas = {tool.name: tool.parameters for tool in request.tools}
        self._may_write_calls = splits_thoughts and request.tool_choice != "none"
        self._answers_in_json = request.schema is not None
        self._splitter = ThoughtSplitter() if splits_thoughts else None
        self._characters = 0
        self._reported = 0

    def begin(self) -> UsageDelta:
        """Report that the provider has accepted the request; the prompt is counted from now on."""
        return UsageDelta(self._usage(self._prompt, 0))

    def translate(self, event: Any, stream: StreamedResponse | ChatStream) -> Iterator[Delta]:
        """Yield the deltas of an event."""
        delta = event if isinstance(event, _DELTAS) else _to_delta(event)
        if delta is None:
            return
        if self._splitter is not None and isinstance(delta, TextDelta):
            yield from map(_to_split_delta, self._splitter.feed(delta.text))
        else:
            yield delta
        self._characters += len(delta.text)
        written = estimate_written_tokens(self._characters)
        if written >= self._reported + REPORT_EVERY:
            self._reported = written
            reported = stream.usage
            read = read_count(reported.input_tokens)
            yield UsageDelta(
                self._usage(
                    read if read > 0 else self._prompt,
                    max(read_count(reported.output_tokens), written),
                )
            )

    @property
    def has_text(self) -> bool:
        """True if some text of an answer or a thought has come."""
        return self._characters > 0

    def flush(self) -> Iterator[Delta]:
        """Yield what was held back of a text, at its end."""
        if self._splitter is not None:
            yield from map(_to_split_delta, self._splitter.end())

    def end(self, response: ModelResponse) -> Iterator[Delta]:
        """Yield the end: tool calls, the total usage, and the message as it goes into the conversation."""
        yield from self.flush()
        message = from_provider_response(
            response, self._name, self._origin, splits_thoughts=self._splitter is not None
        )
        message = Message(
            "assistant",
            tuple(
                repair_call(part, self._schemas) if isinstance(part, ToolCall) else part
                for part in message.parts
            ),
        )
        refusal = get_refusal(response)
        ended = find_end(response)
        if self._may_write_calls and ended == "finished" and not refusal:
            read = self._read_written_calls(message)
            if read is not message:
                message = read
                yield TextBecameThought()
                yield from (TextDelta(part.text) for part in read.parts if isinstance(part, Text))
        if refusal:
            yield AbstainedDelta(DECLINED, refused=True)
            yield TextDelta(refusal)
            message = Message("assistant", (*message.parts, Text(refusal, self._name)))
        for part in message.parts:
            if isinstance(part, ToolCall):
                yield ToolCallDelta(part)
        yield UsageDelta(self._total(response))
        if ended == "length":
            yield Finish("length", "it reached the most tokens it may write", message)
        elif ended == "filtered":
            yield Finish("filtered", "the provider's filter stopped it", message)
        elif ended == "refused":
            yield Finish("refused", "it declined", message)
        else:
            yield Finish("finished", "", message, find_stop_text(response, self._stop))

    def _read_written_calls(self, message: Message) -> Message:
        """The message with the calls that its text holds as parts of their own; the message itself if there are none."""
        if not self._schemas or any(isinstance(part, ToolCall) for part in message.parts):
            return message
        text = "".join(part.text for part in message.parts if isinstance(part, Text))
        found = find_written_calls(text, self._schemas, takes_json=not self._answers_in_json)
        if found is None:
            return message
        kept = [part for part in message.parts if not isinstance(part, Text)]
        said = [Text(found.before, self._name)] if found.before else []
        calls = [
            ToolCall(f"call_{uuid4().hex[:12]}", name, arguments, self._name)
            for name, arguments in found.calls
        ]
        return Message("assistant", (*kept, *said, *calls))

    def _total(self, response: ModelResponse) -> Usage:
        reported = response.usage
        counts = read_count(reported.input_tokens), read_count(reported.output_tokens)
        if UNBELIEVABLE in counts or not any(counts):
            prompt, written = counts
            estimated = self._characters + CHARACTERS_PER_WRITTEN_TOKEN - 1
            return self._usage(
                prompt if prompt > 0 else self._prompt,
                written if written > 0 else estimate_written_tokens(estimated),
            )
        usage = self._usage(*counts)
        exact = get_billed_usd(response) if self._has_list_price else None
        return (
            usage
            if exact is None
            else Usage(
                usage.tokens,
                usage.critical_path,
                usd=exact,
                prompt_tokens=usage.prompt_tokens,
                calls=usage.calls,
            )
        )

    def _usage(self, prompt: int, written: int) -> Usage:
        return Usage(
            tokens=prompt + written,
            critical_path=written,
            prompt_tokens=prompt,
            calls=1,
            usd=prompt * self._price.prompt + written * self._price.written,
        )


def _to_split_delta(piece: ThoughtPiece) -> Delta:
    if piece.kind == "turned":
        return TextBecameThought()
    return TextDelta(piece.text) if piece.kind == "text" else ThinkingDelta(piece.text)


def _to_delta(event: Any) -> TextDelta | ThinkingDelta | None:
    """Text or thought of an event, if it has any."""
    from pydantic_ai.messages import (
        PartDeltaEvent,
        PartStartEvent,
        TextPart,
        TextPartDelta,
        ThinkingPart,
        ThinkingPartDelta,
    )

    match event:
        case (
            PartStartEvent(part=TextPart(content=text))
            | PartDeltaEvent(delta=TextPartDelta(content_delta=text))
        ) if text:
            return TextDelta(text)
        case (
            PartStartEvent(part=ThinkingPart(content=text))
            | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text))
        ) if text:
            return ThinkingDelta(text)
    return None


def find_stop_text(response: ModelResponse, stop: tuple[str, ...]) -> str | None:
    """The stop text that ended a reply, in the form of `Finish.stop`.

    Anthropic reports that one did, but not which, so it is known only if there is one. vLLM reports the text itself.
    """
    details = response.provider_details or {}
    if details.get("finish_reason") == "stop_sequence":
        return stop[0] if len(stop) == 1 else ""
    reason = details.get("stop_reason")
    return reason if isinstance(reason, str) and reason in stop else None


def find_end(
    response: ModelResponse,
) -> Literal["finished", "length", "filtered", "refused"] | None:
    """Why a reply ended; None if it broke off. A reason that is known nowhere ("eos") is an end all the same."""
    raw = str((response.provider_details or {}).get("finish_reason") or "").lower()
    if get_refusal(response) or raw == "refusal":
        return "refused"
    match response.finish_reason:
        case None if not raw:
            return None
        case "length":
            return "length"
        case "content_filter":
            return "filtered"
        case None if any(word in raw for word in _LENGTH_WORDS):
            return "length"
        case None if any(word in raw for word in _FILTER_WORDS):
            return "filtered"
    return "finished"


def get_refusal(response: ModelResponse) -> str:
    """Text of a refusal, if the provider reports it apart from the answer; else empty."""
    return str((response.provider_details or {}).get("refusal") or "")
