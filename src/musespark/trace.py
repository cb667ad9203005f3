"""A run on disk: `events.jsonl`, one event a line, and every image as a PNG file beside it.

Nothing is half-written: an image gets its name when it is complete, and before the line that refers to it; a line is flushed at
once. A run that was killed leaves a trace that can be read up to that point.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from musespark.errors import BadEvent, TraceDamaged, TraceUnwritable
from musespark.events import Event, Pictured, from_json

EVENTS = "events.jsonl"
_IMAGE = re.compile(r"picture-\d{4,}\.png")
_LEFT = re.compile(_IMAGE.pattern + r"(\.part)?")
"""Files of an older trace beside its events; a killed run may leave an unfinished image."""


def image_path(directory: Path, event: Pictured) -> Path:
    """Path of an event's image in the directory of a trace."""
    return directory / f"picture-{event.seq:04d}.png"


def keep_image(directory: Path, event: Pictured) -> Path:
    """Write an event's image, completely or not at all. Returns its path. Raises `OSError`."""
    path = image_path(directory, event)
    unfinished = path.with_suffix(".png.part")
    try:
        unfinished.write_bytes(event.image)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return path


class TraceWriter:
    """Writes a run's events to a directory, which it makes if need be; replaces an older trace there. A context manager."""

    def __init__(self, directory: str | Path) -> None:
        """Raises `TraceUnwritable`, before the run and not at its end."""
        self.directory = Path(directory)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for entry in self.directory.iterdir():
                if _LEFT.fullmatch(entry.name):
                    entry.unlink()
            self._lines = (self.directory / EVENTS).open("w", encoding="utf-8")
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from error

    def write(self, event: Event) -> Path | None:
        """Write one event. Returns the path of its image, or None if it has none. Raises `TraceUnwritable`."""
        try:
            values = event.to_json()
            path = None
            if isinstance(event, Pictured):
                path = keep_image(self.directory, event)
                values["picture"] = {"file": path.name}
            self._lines.write(json.dumps(values) + "\n")
            self._lines.flush()
            return path
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: Exception) -> TraceUnwritable:
        return TraceUnwritable(self.directory, getattr(error, "strerror", None) or str(error))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what a failed write left in the buffer fails once more
            self._lines.close()


async def traced(
    events: AsyncGenerator[Event, None], directory: str | Path
) -> AsyncGenerator[Event, None]:
    """Pass events on, each written to disk first.

    Raises `TraceUnwritable` before the first event, or after the last: a disk that fills up on the way costs no answer.
    """
    failed: TraceUnwritable | None = None
    async with aclosing(events):
        with TraceWriter(directory) as trace:
            async for event in events:
                if failed is None:
                    try:
                        trace.write(event)
                    except TraceUnwritable as error:
                        failed = error
                yield event
    if failed is not None:
        raise failed


def read_trace(directory: str | Path) -> list[Event]:
    """Read the events of a trace, equal to the originals; an incomplete last line is left out.

    Raises `TraceDamaged`.
    """
    path = Path(directory) / EVENTS
    try:
        whole = path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, ValueError) as error:
        raise TraceDamaged(directory, getattr(error, "strerror", None) or str(error)) from error
    events = []
    for number, line in enumerate(whole, 1):
        try:
            events.append(from_json(_with_image(json.loads(line), path.parent)))
        except (BadEvent, OSError, ValueError, AttributeError) as error:
            raise TraceDamaged(directory, f"line {number} of {EVENTS}: {error}") from error
    return events


def _with_image(values: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Values of an event, with the bytes of its image restored."""
    reference = values.get("picture")
    if not isinstance(reference, dict):
        return values
    name = str(reference.get("file"))
    # A trace may come from anywhere; it may name files of its own directory only.
    if not _IMAGE.fullmatch(name):
        raise BadEvent(f"{name!r} is not the name of a stored image")
    return {**values, "picture": (directory / name).read_bytes()}
