"""The chunks of a reply differ in nothing but the piece of text in their midst, as a rule: what stands around it is recognised
once, and all chunks that have come together are read in one go instead of being parsed one by one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_PROBE = "another text"
_WRITTEN = rb'[^"\\\x00-\x1f]*+(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*+)*+'
_BETWEEN = b"\x1e"
_ALL_WRITTEN = re.compile(rb"%s(?:%s%s)*+" % (_WRITTEN, _BETWEEN, _WRITTEN)).fullmatch
"""Whether each of several bytes is what JSON writes between quotation marks, to its end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An event of a stream around a piece of text."""

    before: bytes
    after: bytes

    @classmethod
    def around(cls, text: str, data: bytes, text_of: Callable[[Any], str | None]) -> Frame | None:
        """The frame of a chunk that is nothing but this text; None where it cannot be told. text_of: what a chunk is the text of,
        None where it is more than that."""
        written = json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")
        at = data.find(written)
        if at < 0:
            return None
        before, after = data[:at + 1], data[at + len(written) - 1:]
        try:
            # Whether it is the text that stands there, another one in its place tells.
            is_it = text_of(json.loads(before + _PROBE.encode() + after)) == _PROBE
        except ValueError:
            is_it = False
        return cls(b"data: " + before, after + b"\n\n") if is_it else None

    def texts(self, buffer: bytes, at: int) -> tuple[str, int] | None:
        """The texts of all the events that begin there and follow each other within this frame, as one, and where the last of
        them ends; None where what begins there is something else."""
        if not buffer.startswith(self.before, at):
            return None
        *written, last = buffer[at + len(self.before):].split(self.after + self.before)
        final, whole, _ = last.partition(self.after)
        if whole:
            written.append(final)
        if not written or not _ALL_WRITTEN(_BETWEEN.join(written)):
            return None
        found = b"".join(written)
        try:
            text: str = json.loads(b'"%s"' % found)
        except ValueError:  # half a character, or an escape that there is not
            return None
        return text, at + len(found) + len(written) * (len(self.before) + len(self.after))
