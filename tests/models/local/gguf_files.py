"""GGUF files for tests: small ones with a head alone, and copies of a real one with another chat template."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

TEMPLATE_KEY = "tokenizer.chat_template"


def text(value: str) -> bytes:
    """A string as GGUF has it."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value(item: Any) -> bytes:
    """A value with its type: a text, a whole number, or a list of either."""
    if isinstance(item, str):
        return struct.pack("<I", 8) + text(item)
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    body = b"".join(
        text(each) if isinstance(each, str) else struct.pack("<I", each) for each in item
    )
    kind = 8 if item and isinstance(item[0], str) else 4
    return struct.pack("<IIQ", 9, kind, len(item)) + body


def gguf(
    values: dict[str, Any], tensors: tuple[tuple[str, int, int], ...] = (), version: int = 3
) -> bytes:
    """A file with these values, and tensors of 32-bit numbers: name, number of weights and offset."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    head += b"".join(text(key) + value(item) for key, item in values.items())
    for name, weights, offset in tensors:
        head += text(name) + struct.pack("<IQIQ", 1, weights, 0, offset)
    size = max((offset + 4 * weights for _, weights, offset in tensors), default=0)
    return head + bytes(-len(head) % 32) + bytes(size)


LLAMA = {
    "general.architecture": "llama",
    "llama.context_length": 2048,
    "llama.block_count": 4,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 8,
    "llama.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    TEMPLATE_KEY: "{{ messages }}",
}


def with_template(source: Path, target: Path, template: str) -> Path:
    """Copy a real file with another chat template."""
    data = source.read_bytes()
    key = text(TEMPLATE_KEY) + struct.pack("<I", 8)
    at = data.index(key) + len(key)
    (length,) = struct.unpack_from("<Q", data, at)
    end = _end_of_head(data)
    rest = data[at + 8 + length : end]
    head = data[:at] + text(template) + rest
    tensors = data[-(-end // 32) * 32 :]
    target.write_bytes(head + bytes(-len(head) % 32) + tensors)
    return target


def _end_of_head(data: bytes) -> int:
    """End of the last description of a tensor: behind the one with the greatest offset."""
    from musespark.models.local import gguf_head

    reader = gguf_head._Reader(data)  # type: ignore[arg-type]
    reader.scalar("<I")
    tensors, keys = reader.count(10**6), reader.count(10**5)
    for _ in range(keys):
        reader.text()
        reader.value(reader.scalar("<I"))
    for _ in range(tensors):
        gguf_head._tensor_end(reader)
    return reader.at
