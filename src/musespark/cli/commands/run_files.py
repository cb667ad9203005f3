"""Files that a person wants of a run: its trace, its images, its answer. One that cannot be written costs no answer."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from musespark.errors import BadOption, FileUnwritable, MuseError, TraceUnwritable
from musespark.events import Event, Pictured, RunEnded
from musespark.trace import TraceWriter, keep_image

_STDOUT = "-"
"""The usual name for standard output, where the answer is shown anyway."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that is full, or of one's share of it: the place is right, and no reason not to ask."""


class RunFiles:
    """Writes what was asked for, and collects the failures.

    Before the first event a place that cannot be written ends the run, for it has cost nothing yet; later it is told at the end.
    """

    def __init__(
        self,
        output: str | None = None,
        save_images: str | None = None,
        trace: str | None = None,
    ) -> None:
        """Raises `BadOption` for an empty name."""
        for option, name, wanted in (
            ("--output", output, "file"),
            ("--save-images", save_images, "directory"),
            ("--trace", trace, "directory"),
        ):
            if name == "":
                raise BadOption(option, "", f"the name of a {wanted}")
        self._output = None if output in (None, _STDOUT) else Path(str(output))
        self._images = None if save_images is None else Path(save_images)
        self._trace = None if trace is None else Path(trace)
        self._writer: TraceWriter | None = None
        self.paths: list[Path] = []
        """Files of images, in the order in which they were drawn."""
        self.failures: list[str] = []
        """Sentences, one for each thing that could not be written."""

    def open(self) -> None:
        """Make the directories, and look if the answer's file can be written. Raises `FileUnwritable` or `TraceUnwritable`."""
        if self._output is not None:
            parent = self._output.parent
            reason = "it is a directory" if self._output.is_dir() else ""
            reason = reason or ("" if parent.is_dir() else "its directory does not exist")
            place = self._output if self._output.exists() else parent
            reason = reason or ("" if os.access(place, os.W_OK) else "permission denied")
            if reason:
                raise FileUnwritable("answer", self._output, reason)
        if self._images is not None:
            try:
                self._images.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                if error.errno not in _FULL:
                    raise _unwritable("images", self._images, error) from error
                self._fail(_unwritable("images", self._images, error))
                self._images = None
        if self._trace is not None:
            self._open_trace(self._trace)

    def keep(self, event: Event) -> Path | None:
        """Write an event where it was asked for. Returns the path of its image; None if it has none, or none is kept."""
        path = self._traced(event)
        if isinstance(event, Pictured) and self._images is not None:
            try:
                path = keep_image(self._images, event)
            except OSError as error:
                self._fail(_unwritable("images", self._images, error))
                self._images = None
        if path is not None:
            self.paths.append(path)
        if isinstance(event, RunEnded):
            self.write_answer(event.answer)
        return path

    def write_answer(self, answer: str) -> None:
        """Write the answer to the file that was named for it, if there was one."""
        if self._output is None or not answer.strip():
            return
        output, self._output = self._output, None
        try:
            output.write_text(answer.rstrip("\n") + "\n", "utf-8", errors="replace")
        except OSError as error:
            self._fail(_unwritable("answer", output, error))

    def close(self) -> None:
        """Close the trace."""
        if self._writer is not None:
            self._writer.__exit__(None, None, None)

    def _open_trace(self, directory: Path) -> None:
        try:
            self._writer = TraceWriter(directory)
        except TraceUnwritable as error:
            if getattr(error.__cause__, "errno", None) not in _FULL:
                raise
            self._fail(error)

    def _traced(self, event: Event) -> Path | None:
        if self._writer is None:
            return None
        try:
            return self._writer.write(event)
        except TraceUnwritable as error:
            self._fail(error)
            self.close()
            self._writer = None
            return None

    def _fail(self, error: MuseError) -> None:
        self.failures.append(str(error))


def _unwritable(what: str, path: Path, error: OSError) -> FileUnwritable:
    return FileUnwritable(what, path, error.strerror or str(error))
