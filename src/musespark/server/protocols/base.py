"""What the three protocols have in common: a body becomes an `ParsedRequest`, pieces become chunks, chunks become one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from musespark.content import Image, Message
from musespark.server.errors import ErrorReply
from musespark.server.protocols.encoder import ReplyPiece
from musespark.server.resolve.options import StrictModel, TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.store.text import dumped

Chunk: TypeAlias = dict[str, Any]
BodyType = TypeVar("BodyType", bound=StrictModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """What a body refers to and does not hold."""

    team: TeamOptions | None = None
    """Options from a header; those of the body count more."""
    earlier: tuple[Message, ...] = ()
    """The conversation that this one goes on with."""
    pictures: Mapping[str, Image] = field(default_factory=dict)
    """Those that were fetched, by address."""


class ChunkEncoder(ABC):
    """The chunks of one reply: a fold of its pieces."""

    @abstractmethod
    def begin(self) -> list[Chunk]:
        """What is sent before anything is known."""

    @abstractmethod
    def tell(self, piece: ReplyPiece) -> list[Chunk]:
        """What a piece becomes; `EndPiece` is the last."""

    @abstractmethod
    def failed(self, failure: ErrorReply) -> list[Chunk]:
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
    def remote_image_urls(self, body: BodyType) -> list[str]:
        """The addresses of pictures that are somewhere else."""

    def follows(self, body: BodyType) -> str | None:
        """The run whose conversation this body goes on with."""
        return None

    @abstractmethod
    def read(self, body: BodyType, around: RequestContext) -> ParsedRequest:
        """What was asked. Raises the kinds of `BadInput`."""

    @abstractmethod
    def chunks(self, asked: ParsedRequest, run: str, created: int) -> ChunkEncoder:
        """The chunks of a reply. created: seconds since 1970."""

    @abstractmethod
    def whole(self, chunks: Iterable[Chunk]) -> Chunk:
        """The object that a client gets who does not stream: what the chunks add up to."""

    @abstractmethod
    def error(self, failure: ErrorReply, request: str) -> Chunk:
        """The object of an error. request: an id of this request."""

    def frame(self, chunk: Chunk) -> bytes:
        """A chunk as it is sent in a stream of events."""
        return b"data: " + dumped(chunk) + b"\n\n"


def sse_bytes(dialect: Dialect[Any], chunks: Sequence[Chunk]) -> bytes:
    """ChunkEncoder as bytes of a stream."""
    return b"".join(map(dialect.frame, chunks))
