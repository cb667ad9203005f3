"""One turn of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

from musespark.content.parts import Image, Part, Text, Thinking, ToolCall, Video

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @classmethod
    def user(cls, *parts: Part | str) -> Self:
        """Make a message of a person; a bare string is text."""
        return cls("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))

    @property
    def text(self) -> str:
        """Text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def images(self) -> tuple[Image, ...]:
        """Images, in order."""
        return tuple(part for part in self.parts if isinstance(part, Image))

    @property
    def videos(self) -> tuple[Video, ...]:
        """Videos, in order."""
        return tuple(part for part in self.parts if isinstance(part, Video))

    def as_images(self, whole: Callable[[Video], bool] | None = None) -> Self:
        """Replace every video by its caption and its contact sheet, except those for which `whole` is true."""
        if not self.videos:
            return self
        shown: list[Part] = []
        for part in self.parts:
            if isinstance(part, Video) and (whole is None or not whole(part)):
                shown += [Text(part.caption, part.made_by), part.sheet]
            else:
                shown.append(part)
        return replace(self, parts=tuple(shown))


def signed_again(parts: Iterable[Part], signed: Iterable[Part]) -> tuple[Part, ...]:
    """Restore the signatures of a reply that a client sent back: signed thoughts first, equal texts and calls replaced."""
    known = tuple(signed)
    texts = {part.text: part for part in known if isinstance(part, Text)}
    calls = {part.id: part for part in known if isinstance(part, ToolCall)}
    given = tuple(parts)
    thoughts = tuple(part for part in (*known, *given) if isinstance(part, Thinking))

    def again(part: Part) -> Part:
        match part:
            case Text():
                return texts.get(part.text, part)
            case ToolCall() if part.id in calls and calls[part.id].name == part.name:
                return replace(
                    part, made_by=calls[part.id].made_by, signature=calls[part.id].signature
                )
        return part

    return (*thoughts, *(again(part) for part in given if not isinstance(part, Thinking)))
