"""Base of the three protocols: a body becomes a `ParsedRequest`, pieces of a reply become chunks, chunks add up to one object."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from musespark.content import Image, Message
from musespark.server.errors import ErrorReply
from musespark.server.http.body import StrictModel
from musespark.server.http.event_stream import COMMENT
from musespark.server.protocols.encoder import ReplyPiece
from musespark.server.resolve.options import TeamOptions
from musespark.server.resolve.parsed_request import ParsedRequest
from musespark.store.json_text import to_json_bytes

Chunk: TypeAlias = dict[str, Any]
BodyType = TypeVar("BodyType", bound=StrictModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """Everything that a body refers to and does not contain."""

    options: TeamOptions | None = None
    """Options from a header; those of the body override them."""
    earlier: tuple[Message, ...] = ()
    """Conversation that this request continues."""
    images: Mapping[str, Image] = field(default_factory=dict)
    """Fetched images by address."""


class ChunkEncoder(ABC):
    """Encoder of one reply: a fold of its pieces into chunks."""

    @abstractmethod
    def start(self) -> list[Chunk]:
        """Return the chunks that are sent before the first piece."""

    @abstractmethod
    def encode(self, piece: ReplyPiece) -> list[Chunk]:
        """Return the chunks of a piece; `EndPiece` is the last."""

    @abstractmethod
    def encode_error(self, reply: ErrorReply) -> list[Chunk]:
        """Return the chunks that end a reply without an answer."""


class Dialect(ABC, Generic[BodyType]):
    """One protocol."""

    name: ClassVar[str]
    path: ClassVar[str]
    id_prefix: ClassVar[str]
    """Start of the protocol's ids; the run's id follows."""
    end_marker: ClassVar[bytes] = b""
    """Last bytes of a stream."""
    keep_alive: ClassVar[bytes] = COMMENT
    """Bytes that keep a silent stream open."""

    @property
    @abstractmethod
    def body(self) -> type[BodyType]:
        """Type of the request body."""

    @abstractmethod
    def remote_image_urls(self, body: BodyType) -> list[str]:
        """Return the addresses of images that have to be fetched."""

    def previous_id(self, body: BodyType) -> str | None:
        """Return the id of the run whose conversation the body continues."""
        return None

    def item_ids(self, body: BodyType) -> list[str]:
        """Return the ids of the stored items that the body refers to."""
        return []

    def with_items(self, body: BodyType, items: dict[str, Chunk]) -> BodyType:
        """Return the body with items in place of references. items: the items by id."""
        return body

    @abstractmethod
    def parse(self, body: BodyType, context: RequestContext) -> ParsedRequest:
        """Translate a body. Raises subclasses of `BadInput`."""

    @abstractmethod
    def encoder(self, parsed: ParsedRequest, run: str, created: int) -> ChunkEncoder:
        """Make the encoder of a reply. created: seconds since 1970."""

    @abstractmethod
    def collect(self, chunks: Iterable[Chunk]) -> Chunk:
        """Add up the chunks to the object that a client gets without streaming."""

    @abstractmethod
    def error_body(self, reply: ErrorReply, request: str) -> Chunk:
        """Return the JSON of an error. request: an id of the request."""

    def frame(self, chunk: Chunk) -> bytes:
        """Encode a chunk as a server-sent event."""
        return b"data: " + to_json_bytes(chunk) + b"\n\n"


def to_sse(dialect: Dialect[Any], chunks: Sequence[Chunk]) -> bytes:
    """Encode chunks as server-sent events."""
    return b"".join(map(dialect.frame, chunks))
