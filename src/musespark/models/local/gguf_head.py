"""The head of a GGUF file: what kind of model it is and where its tensors end, read without loading it."""

from __future__ import annotations

import functools
import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musespark.errors import MissingFile

MAX_KEYS, MAX_TENSORS = 100_000, 1_000_000
"""Counts beyond which a head is taken for damaged."""
_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
"""Struct formats of values, by GGUF's number of their type."""
_STRING, _ARRAY = 8, 9
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
    22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8),
    29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Weights and bytes of a block of a tensor, by ggml's number of its type."""
_KEPT_NUMBERS = 4096
"""Numbers of an array that are kept; longer ones belong to the vocabulary."""


@dataclass(frozen=True)
class GGUFHead:
    """Head of a file."""

    path: Path
    values: dict[str, Any]
    """Values by key; arrays of texts and long arrays are left out."""
    file_bytes: int

    @property
    def architecture(self) -> str:
        """Architecture, such as `llama`; `clip` for a projector of images."""
        return str(self.values.get("general.architecture", ""))

    @property
    def chat_template(self) -> str:
        """Chat template; empty if the file has none."""
        return str(self.values.get("tokenizer.chat_template", ""))

    @property
    def trained_context(self) -> int:
        """Tokens of context that the model was trained with; 0 if the file does not say."""
        return self._number("context_length")

    @property
    def has_vision(self) -> bool:
        """True for a projector that reads images."""
        return self.architecture == "clip" and bool(
            self.values.get("clip.has_vision_encoder", True)
        )

    @property
    def cache_bytes_per_token(self) -> int:
        """Bytes of key-value cache for one token, at 16 bits a value; an upper bound for models with sliding windows."""
        heads = self._number("attention.head_count") or 1
        side = self._number("embedding_length") // heads
        per_head = (self._number("attention.key_length") or side) + (
            self._number("attention.value_length") or side
        )
        per_layer = self.values.get(f"{self.architecture}.attention.head_count_kv", heads)
        layers = self._number("block_count")
        total = sum(per_layer) if isinstance(per_layer, list) else layers * int(per_layer)
        return int(total) * per_head * 2

    def _number(self, key: str) -> int:
        value = self.values.get(f"{self.architecture}.{key}", 0)
        return int(max(value) if isinstance(value, list) else value) if value else 0


def read_head(path: Path) -> GGUFHead:
    """Read the head of a file. Raises `MissingFile` if there is none, or it is no GGUF file, or truncated or damaged."""
    try:
        status = path.stat()
        if not path.is_file():
            raise MissingFile(path, "it is not a file")
        return _read(path, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        raise MissingFile(path) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise MissingFile(path, getattr(error, "strerror", None) or str(error)) from None


@functools.lru_cache(maxsize=64)
def _read(path: Path, size: int, _changed: int) -> GGUFHead:
    """The head of a file of that size, which was changed at that time."""
    with open(path, "rb") as file:
        if file.read(4) != b"GGUF":
            raise MissingFile(path, "it is not a GGUF file")
        if size < 24:
            raise MissingFile(path, "it is truncated; fetch it again")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                values, end = _parse(_Reader(data))
            except (struct.error, IndexError, KeyError, UnicodeDecodeError, OverflowError):
                raise MissingFile(path, "it is truncated or damaged; fetch it again") from None
            except _Unsupported as error:
                raise MissingFile(path, str(error)) from None
    if end > size:
        raise MissingFile(
            path, f"it is truncated: it has {size:,} of {end:,} bytes; fetch it again"
        )
    return GGUFHead(path, values, size)


class _Unsupported(Exception):
    """A file of a version that is not read."""


class _Reader:
    """Values one after the other. Raises `struct.error` or `IndexError` past the end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 4

    def scalar(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def count(self, most: int) -> int:
        number = int(self.scalar("<Q"))
        if number > most:
            raise IndexError(number)
        return number

    def text(self) -> str:
        length = self.count(len(self.data) - self.at)
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        return self._array() if kind == _ARRAY else self.scalar(_SCALARS[kind])

    def _array(self) -> list[Any] | None:
        """An array of numbers; None for one that is skipped."""
        kind = self.scalar("<I")
        number = self.count(len(self.data) - self.at)
        if kind == _STRING:
            self._skip_texts(number)
            return None
        if kind == _ARRAY:
            for _ in range(number):
                self._array()
            return None
        size = struct.calcsize(_SCALARS[kind])
        if number <= _KEPT_NUMBERS:
            return [self.scalar(_SCALARS[kind]) for _ in range(number)]
        self.at += number * size
        return None

    def _skip_texts(self, number: int) -> None:
        unpack: Callable[..., tuple[int]] = struct.Struct("<Q").unpack_from
        at = self.at
        for _ in range(number):
            at += 8 + unpack(self.data, at)[0]
        self.at = at


def _parse(reader: _Reader) -> tuple[dict[str, Any], int]:
    """The values of a head, and the number of bytes that the whole file must have."""
    version = reader.scalar("<I")
    if version not in (2, 3):
        raise _Unsupported(f"its GGUF version {version} is not read; versions 2 and 3 are")
    tensors, keys = reader.count(MAX_TENSORS), reader.count(MAX_KEYS)
    values = {}
    for _ in range(keys):
        key = reader.text()
        value = reader.value(reader.scalar("<I"))
        if value is not None:
            values[key] = value
    ends = [_tensor_end(reader) for _ in range(tensors)]
    alignment = max(1, int(values.get("general.alignment", 32)))
    start = -(-reader.at // alignment) * alignment
    return values, start + max(ends, default=0)


def _tensor_end(reader: _Reader) -> int:
    """Offset of a tensor's end in the data; of its beginning if its type is unknown."""
    reader.text()
    weights = 1
    for _ in range(reader.scalar("<I") & 0xFF):
        weights *= reader.scalar("<Q")
    block, size = _BLOCKS.get(reader.scalar("<I"), (1, 0))
    return int(reader.scalar("<Q")) + -(-weights // block) * size
