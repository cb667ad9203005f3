"""Text from files and pipes, in the encodings that they come in."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Marks at the start of a text, and its encoding. That of UTF-32 begins as that of UTF-16."""
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def decode_text(raw: bytes) -> str:
    """Decode a text: by its mark, else as UTF-8, else as Windows-1252, where no character beyond ASCII is valid UTF-8."""
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode(encoding, errors="replace")
    if encoding == "utf-8" and {char for char in text if char > "\x7f"} == {_UNKNOWN}:
        return raw.decode("cp1252", errors="replace")
    return text
