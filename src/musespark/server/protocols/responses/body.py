"""The request body of Responses. Fields with a comment have no effect; the dialect rejects unsupported ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from musespark.server.http.body import Name, StrictModel
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS

ResponsesStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"] | None


class ResponsesInputText(StrictModel):
    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: Any = None  # a hint to a provider's cache


class ResponsesInputImage(StrictModel):
    type: Literal["input_image"]
    image_url: str | None = None
    file_id: None = None
    detail: Literal["auto", "low", "high", "original"] | None = None  # models get the whole image
    prompt_cache_breakpoint: Any = None


class ResponsesOutputText(StrictModel):
    type: Literal["output_text"]
    text: str
    annotations: list[Any] | None = None  # what an earlier answer background_runs, as the next
    logprobs: list[Any] | None = None
    parsed: Any = None


class ResponsesRefusal(StrictModel):
    type: Literal["refusal"]
    refusal: str


ResponsesInputPart: TypeAlias = Annotated[
    ResponsesInputText | ResponsesInputImage, Field(discriminator="type")
]
ResponsesPart: TypeAlias = Annotated[
    ResponsesInputText | ResponsesInputImage | ResponsesOutputText | ResponsesRefusal,
    Field(discriminator="type"),
]


class ResponsesMessageItem(StrictModel):
    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | Annotated[list[ResponsesPart], Field(max_length=MAX_PARTS)]
    id: str | None = None
    status: ResponsesStatus = None
    phase: str | None = None


class ResponsesFunctionCall(StrictModel):
    type: Literal["function_call"]
    call_id: Name
    name: Name
    arguments: str
    id: str | None = None
    status: ResponsesStatus = None
    caller: Any = None
    namespace: None = None
    parsed_arguments: Any = None  # added by the SDK's parser


class ResponsesFunctionOutput(StrictModel):
    type: Literal["function_call_output"]
    call_id: Name
    output: str | Annotated[list[ResponsesInputPart], Field(max_length=MAX_PARTS)]
    id: str | None = None
    status: ResponsesStatus = None
    caller: Any = None


class ResponsesReasoningItem(StrictModel):
    """Thoughts before an earlier answer: what a provider signed of them is passed on to that provider, the rest is ignored."""

    type: Literal["reasoning"]
    id: str | None = None
    summary: list[Any] | None = None
    content: list[Any] | None = None
    encrypted_content: str | None = None
    status: ResponsesStatus = None


class ResponsesImageItem(StrictModel):
    """An image of an earlier answer."""

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


class ResponsesReference(StrictModel):
    """A reference to an item of a stored response."""

    type: Literal["item_reference"] | None = None
    id: Annotated[str, Field(max_length=128)]


class ResponsesCompactionItem(StrictModel):
    """A summary that stands for a conversation; one that another service made is left out."""

    type: Literal["compaction", "compaction_summary"]
    encrypted_content: str
    id: str | None = None


def _item_type(item: Any) -> str:
    """Return an item's type; a message may leave it out."""
    found = (
        item.get("type", "message") if isinstance(item, dict) else getattr(item, "type", "message")
    )
    if (
        isinstance(item, dict)
        and "role" not in item
        and found in (None, "message")
        and "id" in item
    ):
        return "item_reference"
    if found == "compaction_summary":
        return "compaction"
    return found if isinstance(found, str) else ""


ResponsesItem: TypeAlias = Annotated[
    Annotated[ResponsesMessageItem, Tag("message")]
    | Annotated[ResponsesFunctionCall, Tag("function_call")]
    | Annotated[ResponsesFunctionOutput, Tag("function_call_output")]
    | Annotated[ResponsesReasoningItem, Tag("reasoning")]
    | Annotated[ResponsesImageItem, Tag("image_generation_call")]
    | Annotated[ResponsesReference, Tag("item_reference")]
    | Annotated[ResponsesCompactionItem, Tag("compaction")],
    Discriminator(
        _item_type,
        custom_error_type="unknown_item",
        custom_error_message="its type is not supported here; supported are message, function_call, "
        "function_call_output, reasoning and image_generation_call",
    ),
]


class ResponsesTool(StrictModel):
    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ResponsesToolChoice(StrictModel):
    type: Literal["function"]
    name: Name


class ResponsesTextFormat(StrictModel):
    type: Literal["text"]


class ResponsesJsonObjectFormat(StrictModel):
    type: Literal["json_object"]


class ResponsesJsonSchemaFormat(StrictModel):
    type: Literal["json_schema"]
    name: str
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    description: str | None = None
    strict: bool | None = None  # the answer must match the schema in either case


ResponsesFormat: TypeAlias = Annotated[
    ResponsesTextFormat | ResponsesJsonObjectFormat | ResponsesJsonSchemaFormat,
    Field(discriminator="type"),
]


class ResponsesTextConfig(StrictModel):
    format: ResponsesFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ResponsesReasoning(StrictModel):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = (
        None  # there is one form of summary; muse.progress turns it off
    )
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class ResponsesStreamOptions(StrictModel):
    include_obfuscation: bool | None = None  # events are not padded


class ResponsesBody(StrictModel):
    """The body of POST /v1/responses."""

    model: Name
    input: str | Annotated[list[ResponsesItem], Field(min_length=1, max_length=MAX_MESSAGES)]
    muse: TeamOptions | None = None
    stream: bool | None = None
    stream_options: ResponsesStreamOptions | None = None
    instructions: str | None = None
    previous_response_id: Annotated[str, Field(max_length=128)] | None = None
    store: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning: ResponsesReasoning | None = None
    text: ResponsesTextConfig | None = None
    tools: Annotated[list[ResponsesTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ResponsesToolChoice | None = None
    parallel_tool_calls: bool | None = None
    include: list[str] | None = None
    # Accepted without effect: the user's identity, and billing and caching by a provider.
    user: str | None = None
    metadata: dict[str, Any] | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    # Rejected, except for the value that is the default here.
    background: bool | None = None
    conversation: Any = None
    context_management: Any = None
    max_tool_calls: int | None = None
    moderation: Any = None
    prompt: Any = None
    top_logprobs: int | None = None
    truncation: Literal["auto", "disabled"] | None = None
