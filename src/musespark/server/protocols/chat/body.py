"""The request body of Chat Completions. Fields with a comment have no effect; the dialect rejects unsupported ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from musespark.server.http.body import Name, StrictModel
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS


class ChatTextPart(StrictModel):
    type: Literal["text"]
    text: str
    cache_control: dict[str, Any] | None = None  # a hint to a provider's cache


class ChatImageUrl(StrictModel):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None  # models get the whole image


class ChatImagePart(StrictModel):
    type: Literal["image_url"]
    image_url: ChatImageUrl


class ChatRefusalPart(StrictModel):
    type: Literal["refusal"]
    refusal: str


ChatUserPart: TypeAlias = Annotated[ChatTextPart | ChatImagePart, Field(discriminator="type")]
ChatAssistantPart: TypeAlias = Annotated[
    ChatTextPart | ChatRefusalPart, Field(discriminator="type")
]


class ChatFunctionCall(StrictModel):
    name: Name
    arguments: str


class ChatToolCall(StrictModel):
    id: Name
    type: Literal["function"] = "function"
    function: ChatFunctionCall
    index: int | None = None  # some clients send back the field of a streamed call


class _Message(StrictModel):
    type: Literal["text", "message"] | None = (
        None  # some clients name the type although there is only one
    )


class ChatSystemMessage(_Message):
    role: Literal["system", "developer"]
    content: str | Annotated[list[ChatTextPart], Field(max_length=MAX_PARTS)]
    name: str | None = None  # names are not passed to models


class ChatUserMessage(_Message):
    role: Literal["user"]
    content: str | Annotated[list[ChatUserPart], Field(max_length=MAX_PARTS)]
    name: str | None = None


class ChatAssistantMessage(_Message):
    role: Literal["assistant"]
    content: str | Annotated[list[ChatAssistantPart], Field(max_length=MAX_PARTS)] | None = None
    tool_calls: Annotated[list[ChatToolCall], Field(max_length=MAX_TOOLS)] | None = None
    refusal: str | None = None
    name: str | None = None
    reasoning_content: str | None = None  # thoughts before an earlier answer are ignored
    reasoning: str | None = None
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None
    parsed: Any = None  # added by the SDK's parser
    muse: Any = None


class ChatToolMessage(_Message):
    role: Literal["tool"]
    content: str | Annotated[list[ChatUserPart], Field(max_length=MAX_PARTS)]
    tool_call_id: Name
    name: str | None = None


ChatMessage: TypeAlias = Annotated[
    ChatSystemMessage | ChatUserMessage | ChatAssistantMessage | ChatToolMessage,
    Field(discriminator="role"),
]


class ChatFunction(StrictModel):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChatTool(StrictModel):
    type: Literal["function"]
    function: ChatFunction


class ChatFunctionName(StrictModel):
    name: Name


class ChatToolChoice(StrictModel):
    type: Literal["function"]
    function: ChatFunctionName


class ChatJsonSchema(StrictModel):
    name: str
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    description: str | None = None
    strict: bool | None = None  # the answer must match the schema in either case


class ChatTextFormat(StrictModel):
    type: Literal["text"]


class ChatJsonObjectFormat(StrictModel):
    type: Literal["json_object"]


class ChatJsonSchemaFormat(StrictModel):
    type: Literal["json_schema"]
    json_schema: ChatJsonSchema


ChatFormat: TypeAlias = Annotated[
    ChatTextFormat | ChatJsonObjectFormat | ChatJsonSchemaFormat, Field(discriminator="type")
]


class ChatStreamOptions(StrictModel):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None  # chunks are not padded


class ChatBody(StrictModel):
    """The body of POST /v1/chat/completions."""

    model: Name
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    muse: TeamOptions | None = None
    stream: bool | None = None
    stream_options: ChatStreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = (
        None
    )
    response_format: ChatFormat | None = None
    tools: Annotated[list[ChatTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChatToolChoice | None = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    # Accepted without effect: the user's identity, and billing and caching by a provider.
    user: str | None = None
    metadata: dict[str, Any] | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    # Rejected, except for the value that is the default here.
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    modalities: list[str] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    audio: Any = None
    prediction: Any = None
    moderation: Any = None
    web_search_options: Any = None
    functions: Any = None
    function_call: Any = None
