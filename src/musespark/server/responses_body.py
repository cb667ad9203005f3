"""What Responses accepts, field by field. Fields with a note are taken and have no effect; `responses.read` refuses others."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from musespark.server.asked import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS
from musespark.server.options import Name, Strict, TeamOptions

Status: TypeAlias = Literal["in_progress", "completed", "incomplete"] | None


class InputText(Strict):
    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: Any = None  # a hint to another's cache


class InputImage(Strict):
    type: Literal["input_image"]
    image_url: str | None = None
    file_id: None = None
    detail: Literal["auto", "low", "high", "original"] | None = None  # a model sees the whole picture
    prompt_cache_breakpoint: Any = None


class OutputText(Strict):
    type: Literal["output_text"]
    text: str
    annotations: list[Any] | None = None  # what an earlier answer carried, as the next
    logprobs: list[Any] | None = None
    parsed: Any = None


class RefusalText(Strict):
    type: Literal["refusal"]
    refusal: str


Seen: TypeAlias = Annotated[InputText | InputImage, Field(discriminator="type")]
Content: TypeAlias = Annotated[InputText | InputImage | OutputText | RefusalText, Field(discriminator="type")]


class MessageItem(Strict):
    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | Annotated[list[Content], Field(max_length=MAX_PARTS)]
    id: str | None = None
    status: Status = None
    phase: str | None = None


class CallItem(Strict):
    type: Literal["function_call"]
    call_id: Name
    name: Name
    arguments: str
    id: str | None = None
    status: Status = None
    caller: Any = None
    namespace: None = None
    parsed_arguments: Any = None  # what the SDK's own parser adds


class OutputItem(Strict):
    type: Literal["function_call_output"]
    call_id: Name
    output: str | Annotated[list[Seen], Field(max_length=MAX_PARTS)]
    id: str | None = None
    status: Status = None
    caller: Any = None


class ReasoningItem(Strict):
    """What came before an earlier answer: of it, only what a provider has signed is passed on, to the same provider."""

    type: Literal["reasoning"]
    id: str | None = None
    summary: list[Any] | None = None
    content: list[Any] | None = None
    encrypted_content: str | None = None
    status: Status = None


class ImageItem(Strict):
    """A picture that a model drew in an earlier answer."""

    type: Literal["image_generation_call"]
    id: str | None = None
    result: str | None = None
    status: str | None = None
    revised_prompt: str | None = None
    output_format: str | None = None
    size: str | None = None
    background: str | None = None
    quality: str | None = None
    action: str | None = None


def _kind(item: Any) -> str:
    """A message may leave out that it is one."""
    found = item.get("type", "message") if isinstance(item, dict) else getattr(item, "type", "message")
    return found if isinstance(found, str) else ""


Item: TypeAlias = Annotated[
    Annotated[MessageItem, Tag("message")] | Annotated[CallItem, Tag("function_call")]
    | Annotated[OutputItem, Tag("function_call_output")] | Annotated[ReasoningItem, Tag("reasoning")]
    | Annotated[ImageItem, Tag("image_generation_call")],
    Discriminator(_kind, custom_error_type="unknown_item",
                  custom_error_message="it is of a kind that is not supported here; there are message, function_call, "
                  "function_call_output, reasoning and image_generation_call")]


class FunctionTool(Strict):
    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChosenFunction(Strict):
    type: Literal["function"]
    name: Name


class PlainFormat(Strict):
    type: Literal["text"]


class ObjectFormat(Strict):
    type: Literal["json_object"]


class JsonFormat(Strict):
    type: Literal["json_schema"]
    name: str
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    description: str | None = None
    strict: bool | None = None  # the answer is held to the schema either way


class TextConfig(Strict):
    format: Annotated[PlainFormat | ObjectFormat | JsonFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Strict):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None  # there is one form; muse.progress turns it off
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class StreamOptions(Strict):
    include_obfuscation: bool | None = None  # events are not padded


class ResponsesBody(Strict):
    """The body of POST /v1/responses."""

    model: Name
    input: str | Annotated[list[Item], Field(min_length=1, max_length=MAX_MESSAGES)]
    muse: TeamOptions | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    instructions: str | None = None
    previous_response_id: Annotated[str, Field(max_length=128)] | None = None
    store: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning: Reasoning | None = None
    text: TextConfig | None = None
    tools: Annotated[list[FunctionTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenFunction | None = None
    parallel_tool_calls: bool | None = None
    include: list[str] | None = None
    # Taken, without effect: they say who asks, or how another's service should bill and cache it.
    user: str | None = None
    metadata: dict[str, Any] | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    # Refused, unless they say what is so without them.
    background: bool | None = None
    conversation: Any = None
    context_management: Any = None
    max_tool_calls: int | None = None
    moderation: Any = None
    prompt: Any = None
    top_logprobs: int | None = None
    truncation: Literal["auto", "disabled"] | None = None
