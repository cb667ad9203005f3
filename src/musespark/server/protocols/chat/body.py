"""The request body of Chat Completions. Fields with a comment have no effect, as unknown ones; the dialect rejects others."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag

from musespark.server.http.body import LeftOutModel, Name, OpenModel, type_tag
from musespark.server.protocols.forms import (
    AS_CONTENT,
    NESTED_FORMAT,
    Arguments,
    PartText,
    WholeNumber,
    choice_form,
    function_fields,
    part_form,
)
from musespark.server.protocols.sampling import SamplingFields
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS


class ChatTextPart(OpenModel):
    type: Literal["text", "input_text", "output_text"]
    text: PartText
    cache_control: Any = None  # a hint to a provider's cache


class ChatImageUrl(OpenModel):
    url: str
    detail: Any = None  # models get the whole image


class ChatImagePart(OpenModel):
    type: Literal["image_url", "input_image"]
    image_url: ChatImageUrl | str

    @property
    def url(self) -> str:
        """Address or data URL, in either form of the field."""
        return self.image_url if isinstance(self.image_url, str) else self.image_url.url


class ChatRefusalPart(OpenModel):
    type: Literal["refusal"]
    refusal: str


class ChatOtherPart(LeftOutModel):
    """A part of an earlier answer that is not known here, and left out."""


_PART = part_form(
    "text",
    image=lambda address: {"type": "image_url", "image_url": {"url": address}},
    own=frozenset({"image_url", "input_image"}),
)
ChatUserPart: TypeAlias = Annotated[
    Annotated[ChatTextPart | ChatImagePart, Field(discriminator="type")], _PART
]
ChatAssistantPart: TypeAlias = Annotated[
    Annotated[ChatTextPart, Tag("text")]
    | Annotated[ChatRefusalPart, Tag("refusal")]
    | Annotated[ChatOtherPart, Tag("other")],
    Discriminator(
        type_tag(
            {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
        )
    ),
    part_form("text"),
]


class ChatFunctionCall(OpenModel):
    name: Name
    arguments: Arguments


class ChatToolCall(OpenModel):
    id: Name
    type: Literal["function"] = "function"
    function: ChatFunctionCall
    index: int | None = None  # some clients send back the field of a streamed call


class ChatCustomInput(OpenModel):
    name: Name
    input: str


class ChatCustomCall(OpenModel):
    """A call of a tool whose input is a text."""

    id: Name
    type: Literal["custom"]
    custom: ChatCustomInput
    index: int | None = None


ChatAnyCall: TypeAlias = Annotated[
    Annotated[ChatToolCall, Tag("function")] | Annotated[ChatCustomCall, Tag("custom")],
    Discriminator(type_tag({"function": "function", "custom": "custom"}, "function")),
]


class _Message(OpenModel):
    type: Any = None  # some clients name the type although there is only one


class ChatSystemMessage(_Message):
    role: Literal["system", "developer"]
    content: (
        str | Annotated[list[Annotated[ChatTextPart, _PART]], Field(max_length=MAX_PARTS)] | None
    ) = None
    name: Any = None  # names are not passed to models


class ChatUserMessage(_Message):
    role: Literal["user"]
    content: str | Annotated[list[ChatUserPart], Field(max_length=MAX_PARTS)] | None = None
    name: Any = None


class ChatAssistantMessage(_Message):
    role: Literal["assistant"]
    content: str | Annotated[list[ChatAssistantPart], Field(max_length=MAX_PARTS)] | None = None
    tool_calls: Annotated[list[ChatAnyCall], Field(max_length=MAX_TOOLS)] | None = None
    refusal: str | None = None
    name: Any = None
    reasoning_content: Any = None  # thoughts before an earlier answer are ignored
    reasoning: Any = None
    annotations: Any = None
    audio: Any = None
    function_call: None = None
    parsed: Any = None  # added by the SDK's parser
    muse: Any = None


class ChatToolMessage(_Message):
    role: Literal["tool"]
    content: Annotated[
        str | Annotated[list[ChatUserPart], Field(max_length=MAX_PARTS)] | None, AS_CONTENT
    ] = None
    tool_call_id: Name
    name: Any = None


ChatMessage: TypeAlias = Annotated[
    ChatSystemMessage | ChatUserMessage | ChatAssistantMessage | ChatToolMessage,
    Field(discriminator="role"),
]


class ChatFunction(OpenModel):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChatTool(OpenModel):
    type: Literal["function"] = "function"
    function: ChatFunction


class ChatCustom(OpenModel):
    name: Name
    description: str | None = None
    format: Any = None


class ChatCustomTool(OpenModel):
    """A tool whose input is a text."""

    type: Literal["custom"]
    custom: ChatCustom


class ChatOtherTool(LeftOutModel):
    """A tool that only its service can run, and that is left out."""


def _tool(value: Any) -> Any:
    """Return a function in the form of another protocol as one of this."""
    fields = None if isinstance(value, dict) and "function" in value else function_fields(value)
    return value if fields is None else {"type": "function", "function": fields}


ChatAnyTool: TypeAlias = Annotated[
    Annotated[ChatTool, Tag("function")]
    | Annotated[ChatCustomTool, Tag("custom")]
    | Annotated[ChatOtherTool, Tag("other")],
    Discriminator(type_tag({"function": "function", "custom": "custom"}, "function")),
    BeforeValidator(_tool),
]


class ChatName(OpenModel):
    name: Name


class ChatToolChoice(OpenModel):
    """One tool that has to be called."""

    type: str
    function: ChatName | None = None
    custom: ChatName | None = None

    @property
    def name(self) -> str | None:
        """Name of the tool; None for a kind of tool that has none."""
        named = self.function or self.custom
        return named.name if named else None


class ChatAllowedTools(OpenModel):
    mode: Literal["auto", "required"] = "auto"
    tools: Annotated[list[ChatToolChoice], Field(max_length=MAX_TOOLS)]


class ChatAllowedChoice(OpenModel):
    """Some of the tools, which may or have to be called."""

    type: Literal["allowed_tools"]
    allowed_tools: ChatAllowedTools


ChatAnyChoice: TypeAlias = Annotated[
    Annotated[ChatAllowedChoice, Tag("allowed_tools")] | Annotated[ChatToolChoice, Tag("other")],
    Discriminator(type_tag({"allowed_tools": "allowed_tools"})),
]


class ChatJsonSchema(OpenModel):
    name: str = "answer"
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    description: str | None = None
    strict: bool | None = None  # the answer must match the schema here in either case


class ChatTextFormat(OpenModel):
    type: Literal["text"]


class ChatJsonObjectFormat(OpenModel):
    type: Literal["json_object"]
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    """Schema of the object, as llama.cpp and others have it."""


class ChatJsonSchemaFormat(OpenModel):
    type: Literal["json_schema"]
    json_schema: ChatJsonSchema


ChatFormat: TypeAlias = Annotated[
    Annotated[
        ChatTextFormat | ChatJsonObjectFormat | ChatJsonSchemaFormat, Field(discriminator="type")
    ],
    NESTED_FORMAT,
]


class ChatStreamOptions(OpenModel):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None  # chunks are not padded


class ChatReasoning(OpenModel):
    """Effort as routers of models have it."""

    effort: str | None = None
    enabled: bool | None = None
    max_tokens: WholeNumber | None = None
    exclude: bool | None = None  # thoughts are shown


class ChatBody(SamplingFields):
    """The body of POST /v1/chat/completions."""

    model: Name
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    muse: TeamOptions | None = None
    stream: bool | None = None
    stream_options: ChatStreamOptions | None = None
    max_tokens: WholeNumber | None = None
    max_completion_tokens: WholeNumber | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: WholeNumber | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    reasoning_effort: (
        Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | str | None
    ) = None
    reasoning: ChatReasoning | None = None
    verbosity: str | None = None
    response_format: ChatFormat | None = None
    tools: Annotated[list[ChatAnyTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Annotated[
        Literal["none", "auto", "required"] | ChatAnyChoice | None,
        choice_form(lambda name: {"type": "function", "function": {"name": name}}, words=True),
    ] = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    # Accepted without effect: the user's identity, and billing and caching by a provider.
    user: Any = None
    metadata: Any = None
    safety_identifier: Any = None
    service_tier: Any = None
    prompt_cache_key: Any = None
    prompt_cache_retention: Any = None
    prompt_cache_options: Any = None
    # Rejected, except for the value that is the default here.
    n: WholeNumber | None = None
    logprobs: bool | None = None
    top_logprobs: WholeNumber | None = None
    modalities: list[str] | None = None
    functions: Any = None
    function_call: Any = None
