"""The request body of Messages. Fields with a comment have no effect, as unknown ones; the dialect rejects unsupported ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from musespark.server.http.body import LeftOutModel, Name, OpenModel, type_tag
from musespark.server.protocols.forms import (
    AS_CONTENT,
    FLAT_FORMAT,
    ArgumentObject,
    PartText,
    WholeNumber,
    choice_form,
    function_fields,
    moved,
    part_form,
)
from musespark.server.protocols.sampling import SamplingFields
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import MAX_MESSAGES, MAX_PARTS, MAX_TOOLS


class _Block(OpenModel):
    cache_control: Any = None  # a hint to a provider's cache


class MessagesTextBlock(_Block):
    type: Literal["text"]
    text: PartText
    citations: Any = None  # sources of an earlier answer


class MessagesBase64Source(OpenModel):
    type: Literal["base64"]
    media_type: Any = None  # the first bytes say what it is
    data: str


class MessagesUrlSource(OpenModel):
    type: Literal["url"]
    url: str


class MessagesImageBlock(_Block):
    type: Literal["image"]
    source: Annotated[MessagesBase64Source | MessagesUrlSource, Field(discriminator="type")]


class MessagesToolUseBlock(_Block):
    type: Literal["tool_use"]
    id: Name
    name: Name
    input: ArgumentObject = Field(default_factory=dict)
    caller: Any = None


class MessagesTextSource(OpenModel):
    type: Literal["text"]
    data: str
    media_type: Any = None


class MessagesContentSource(OpenModel):
    type: Literal["content"]
    content: str | Annotated[list[MessagesTextBlock], Field(max_length=MAX_PARTS)]


class MessagesDocumentBlock(_Block):
    """A document that is text."""

    type: Literal["document"]
    source: Annotated[MessagesTextSource | MessagesContentSource, Field(discriminator="type")]
    title: str | None = None
    context: str | None = None
    citations: Any = None  # answers cite nothing

    @property
    def text(self) -> str:
        """Title, context and text of the document."""
        source = self.source
        body = (
            source.data
            if isinstance(source, MessagesTextSource)
            else source.content
            if isinstance(source.content, str)
            else "\n\n".join(block.text for block in source.content)
        )
        return "\n\n".join(part for part in (self.title, self.context, body) if part)


class MessagesSearchResultBlock(_Block):
    """A result of a search of the client's own."""

    type: Literal["search_result"]
    source: str
    title: str
    content: Annotated[list[MessagesTextBlock], Field(max_length=MAX_PARTS)]
    citations: Any = None

    @property
    def text(self) -> str:
        """Title, source and text of the result."""
        return "\n\n".join(
            part for part in (self.title, self.source, *(block.text for block in self.content))
        )


class MessagesToolReference(LeftOutModel):
    """A tool that a search of the service's own has found: all tools are offered, so it says nothing."""

    type: Literal["tool_reference"]


_BLOCK = part_form(
    "text",
    frozenset({"input_text", "output_text"}),
    lambda address: {"type": "image", "source": {"type": "url", "url": address}},
    frozenset({"image"}),
)
MessagesInputBlock: TypeAlias = Annotated[
    Annotated[
        MessagesTextBlock
        | MessagesImageBlock
        | MessagesDocumentBlock
        | MessagesSearchResultBlock
        | MessagesToolReference,
        Field(discriminator="type"),
    ],
    _BLOCK,
]


class MessagesToolResultBlock(_Block):
    type: Literal["tool_result"]
    tool_use_id: Name
    content: Annotated[
        str | Annotated[list[MessagesInputBlock], Field(max_length=MAX_PARTS)] | None, AS_CONTENT
    ] = None
    is_error: bool | None = None


class MessagesThinkingBlock(_Block):
    """Thoughts before an earlier answer: what a provider signed of them is passed on to that provider, the rest is ignored."""

    type: Literal["thinking"]
    thinking: str
    signature: str | None = None


class MessagesRedactedThinkingBlock(_Block):
    """Encrypted thoughts of another service: they are ignored."""

    type: Literal["redacted_thinking"]
    data: str


class MessagesOtherBlock(LeftOutModel):
    """A part of an earlier answer that its service alone understands, such as a search of its own: it is left out."""


MessagesUserBlock: TypeAlias = Annotated[
    Annotated[
        MessagesTextBlock
        | MessagesImageBlock
        | MessagesDocumentBlock
        | MessagesSearchResultBlock
        | MessagesToolResultBlock,
        Field(discriminator="type"),
    ],
    _BLOCK,
]
MessagesAssistantBlock: TypeAlias = Annotated[
    Annotated[MessagesTextBlock, Tag("text")]
    | Annotated[MessagesToolUseBlock, Tag("tool_use")]
    | Annotated[MessagesThinkingBlock, Tag("thinking")]
    | Annotated[MessagesRedactedThinkingBlock, Tag("redacted_thinking")]
    | Annotated[MessagesOtherBlock, Tag("other")],
    Discriminator(
        type_tag({name: name for name in ("text", "tool_use", "thinking", "redacted_thinking")})
    ),
]


class MessagesUserTurn(OpenModel):
    role: Literal["user"]
    content: str | Annotated[list[MessagesUserBlock], Field(max_length=MAX_PARTS)]


class MessagesAssistantTurn(OpenModel):
    role: Literal["assistant"]
    content: str | Annotated[list[MessagesAssistantBlock], Field(max_length=MAX_PARTS)] | None = (
        None
    )


class MessagesSystemTurn(OpenModel):
    role: Literal["system"]
    content: str | Annotated[list[MessagesTextBlock], Field(max_length=MAX_PARTS)]


MessagesTurn: TypeAlias = Annotated[
    MessagesUserTurn | MessagesAssistantTurn | MessagesSystemTurn, Field(discriminator="role")
]


class MessagesTool(_Block):
    """A tool with a schema of its own; or one by its type alone, which clients run, or which only its service can run."""

    type: str | None = None
    name: Name | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    eager_input_streaming: Any = None  # arguments are sent whole


def _tool(value: Any) -> Any:
    """Return a function in the form of another protocol as a tool of this."""
    is_foreign = isinstance(value, dict) and (
        value.get("type") == "function" or isinstance(value.get("function"), dict)
    )
    fields = function_fields(value) if is_foreign else None
    if fields is None:
        return value
    return {"input_schema": fields.pop("parameters") or {}, **fields}


class _Choice(OpenModel):
    disable_parallel_tool_use: bool | None = None


class MessagesToolChoiceAuto(_Choice):
    type: Literal["auto"]


class MessagesToolChoiceAny(_Choice):
    type: Literal["any"]


class MessagesToolChoiceTool(_Choice):
    type: Literal["tool"]
    name: Name


class MessagesToolChoiceNone(OpenModel):
    type: Literal["none"]


MessagesToolChoice: TypeAlias = Annotated[
    MessagesToolChoiceAuto
    | MessagesToolChoiceAny
    | MessagesToolChoiceTool
    | MessagesToolChoiceNone,
    Field(discriminator="type"),
]


class MessagesThinkingEnabled(OpenModel):
    type: Literal["enabled"]
    budget_tokens: WholeNumber | None = None
    display: Any = None  # thoughts are always shown


class MessagesThinkingAdaptive(OpenModel):
    type: Literal["adaptive"]
    display: Any = None


class MessagesThinkingDisabled(OpenModel):
    type: Literal["disabled"]


class MessagesThinkingOther(OpenModel):
    """A kind of thinking that is not known here, and left to the model."""

    type: str


MessagesThinking: TypeAlias = Annotated[
    Annotated[MessagesThinkingEnabled, Tag("enabled")]
    | Annotated[MessagesThinkingAdaptive, Tag("adaptive")]
    | Annotated[MessagesThinkingDisabled, Tag("disabled")]
    | Annotated[MessagesThinkingOther, Tag("other")],
    Discriminator(type_tag({name: name for name in ("enabled", "adaptive", "disabled")})),
]


class MessagesJsonSchemaFormat(OpenModel):
    type: Literal["json_schema"]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class MessagesOutputConfig(OpenModel):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | str | None = None
    format: Annotated[MessagesJsonSchemaFormat | None, FLAT_FORMAT] = None


class MessagesCountBody(OpenModel):
    """The body of POST /v1/messages/count_tokens; a message's body has the same fields."""

    model: Name
    messages: Annotated[list[MessagesTurn], Field(min_length=1, max_length=MAX_MESSAGES)]
    system: str | Annotated[list[MessagesTextBlock], Field(max_length=MAX_PARTS)] | None = None
    tools: (
        Annotated[
            list[Annotated[MessagesTool, BeforeValidator(_tool)]], Field(max_length=MAX_TOOLS)
        ]
        | None
    ) = None
    tool_choice: Annotated[
        MessagesToolChoice | None,
        choice_form(lambda name: {"type": "tool", "name": name}, words=False),
    ] = None
    thinking: MessagesThinking | None = None
    output_config: MessagesOutputConfig | None = None
    # Accepted without effect: hints to a provider's cache and context, and services that only it has.
    cache_control: Any = None

    @model_validator(mode="before")
    @classmethod
    def _with_format(cls, value: Any) -> Any:
        """Take the form of the answer from the field that it had in a beta: it must not get lost."""
        return moved(value, "output_format", "output_config")


class MessagesBody(MessagesCountBody, SamplingFields):
    """The body of POST /v1/messages."""

    max_tokens: WholeNumber
    muse: TeamOptions | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: Annotated[list[str], Field(max_length=16)] | None = None
    # Accepted without effect: the user's identity, and billing by a provider.
    metadata: Any = None
    service_tier: Any = None
    inference_geo: Any = None
    # Rejected, so that SDKs send the whole conversation: a thread leaves out what the server is to remember.
    thread: Any = None
