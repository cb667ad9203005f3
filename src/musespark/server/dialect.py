"""What the three protocols have in common: a body becomes an `Asked`, pieces become chunks, chunks become one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from musespark.content import Image, Message
from musespark.server.asked import Asked
from musespark.server.failures import Failure
from musespark.server.options import Strict, TeamOptions
from musespark.server.telling import Piece
from musespark.store.text import dumped

Chunk: TypeAlias = dict[str, Any]
BodyType = TypeVar("BodyType", bound=Strict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a body refers to and does not hold."""

    team: TeamOptions | None = None
    """Options from a header; those of the body count more."""
    earlier: tuple[Message, ...] = ()
    """The conversation that this one goes on with."""
    images: Mapping[str, Image] = field(default_factory=dict)
    """Those that were fetched, by address."""


class Chunks(ABC):
    """The chunks of one reply: a fold of its pieces."""

    @abstractmethod
    def begin(self) -> list[Chunk]:
        """What is sent before anything is known."""

    @abstractmethod
    def tell(self, piece: Piece) -> list[Chunk]:
        """What a piece becomes; `Ended` is the last."""

    @abstractmethod
    def failed(self, failure: Failure) -> list[Chunk]:
        """What is sent where no answer will follow."""


class Dialect(ABC, Generic[BodyType]):
    """One protocol."""

    name: ClassVar[str]
    path: ClassVar[str]
    prefix: ClassVar[str]
    """What its ids begin with; the run's own follows."""
    last: ClassVar[bytes] = b""
    """What ends a stream."""
    ping: ClassVar[bytes] = b": still here\n\n"
    """What keeps a silent stream open."""

    @property
    @abstractmethod
    def body(self) -> type[BodyType]:
        """What it accepts."""

    @abstractmethod
    def remote_images(self, body: BodyType) -> list[str]:
        """The addresses of pictures that are somewhere else."""

    def follows(self, body: BodyType) -> str | None:
        """The run whose conversation this body goes on with."""
        return None

    @abstractmethod
    def read(self, body: BodyType, around: Around) -> Asked:
        """What was asked. Raises the kinds of `BadInput`."""

    @abstractmethod
    def chunks(self, asked: Asked, run: str, created: int) -> Chunks:
        """The chunks of a reply. created: seconds since 1970."""

    @abstractmethod
    def whole(self, chunks: Iterable[Chunk]) -> Chunk:
        """The object that a client gets who does not stream: what the chunks add up to."""

    @abstractmethod
    def error(self, failure: Failure, request: str) -> Chunk:
        """The object of an error. request: an id of this request."""

    def frame(self, chunk: Chunk) -> bytes:
        """A chunk as it is sent in a stream of events."""
        return b"data: " + dumped(chunk) + b"\n\n"


def framed(dialect: Dialect[Any], chunks: Sequence[Chunk]) -> bytes:
    """Chunks as bytes of a stream."""
    return b"".join(map(dialect.frame, chunks))
