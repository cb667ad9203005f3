"""The result of one agent."""

from __future__ import annotations

from dataclasses import dataclass, field

from musespark.content import Image, Message, Text, Thinking, ToolCall
from musespark.events import FinishReason, Pictured
from musespark.models.model import Model
from musespark.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One agent's answer to the question, and how it came about."""

    agent: str
    model: str
    """The name of the model behind the agent."""
    text: str
    """The whole reply, as a person would read it."""
    answer: str
    """The part of it that is compared with other answers: the last line's value, not the explanation."""
    calls: tuple[ToolCall, ...] = ()
    """Calls of the caller's tools; they belong to the answer as much as the text."""
    thoughts: str = field(default="", repr=False)
    """Reasoning that the model showed apart from its reply."""
    transcript: tuple[Message, ...] = field(default=(), repr=False)
    """Messages that the agent added to the conversation: replies and tool results, in order."""
    images: tuple[Pictured, ...] = field(default=(), repr=False)
    usage: Usage = field(default_factory=Usage)
    answer_tokens: int = 0
    """Tokens of the reply that is the answer, without those of earlier replies."""
    verified: bool | None = None
    """Verdict of a verifier on the answer; None if nothing checked it."""
    verified_by: str = ""
    abstained: str = ""
    """Why the model does not answer; empty if it does."""
    finish_reason: FinishReason = "finished"
    """Why the reply ended."""
    detail: str = ""
    """Further words of the backend on `finish_reason`; often empty."""
    stop: str | None = None
    """The entry of the request's `stop` that ended the reply, as in `models.model.Finish`."""
    unclear: bool = False
    """True if the reply has no answer in the format that the question asks for."""
    guessed: bool = False
    """True if the answer of an unclear reply is the number or option that it mentions last."""
    concluded: bool = False
    """True if the reply broke off, and the agent then gave its answer in a short, last call."""
    by: Model | None = field(default=None, repr=False, compare=False)
    """The model itself, to ask it again; None for an attempt that was kept."""

    @property
    def cut(self) -> bool:
        """True if the reply broke off: an answer, but only the best so far."""
        return self.finish_reason not in ("finished", "refused") and not self.concluded

    @property
    def signed(self) -> tuple[Text | Thinking, ...]:
        """The texts and thoughts of the reply that the model's provider wants to see again."""
        parts = self.transcript[-1].parts if self.transcript else ()
        return tuple(
            part
            for part in parts
            if isinstance(part, Text | Thinking) and part.signature is not None
        )

    @property
    def image_parts(self) -> tuple[Image, ...]:
        """Images that its tools returned and that it drew, to show to a judge or a merger."""
        return tuple(Image(image.image, "image/png", self.model) for image in self.images)
