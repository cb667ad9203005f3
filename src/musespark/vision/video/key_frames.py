"""Selection of key frames: the first frame of a video, and each that differs enough from the key frame before it.

The rule is that of Zhang, Wu, Zhong and Smoliar, An integrated system for content-based video retrieval and browsing (1997). It
finds cuts, fades, scrolling and movement alike; a still video has one key frame. If there are too many, cuts stay, then frames that
differ much from the one before and are not close to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

    Signature: TypeAlias = np.ndarray[Any, Any]

GRID = 32
"""Rows and columns of the blocks of mean colour by which frames are compared."""
MIN_CHANGE = 2.5
"""Root mean square difference, of 255, from which a frame is a new key frame: a word typed on a screen suffices, a moving pointer
or the noise of a codec does not."""
MAX_FRAMES = 16


@dataclass(slots=True)
class KeyFrame:
    """A selected frame."""

    time: float
    """Seconds from the start of the video."""
    signature: Signature = field(repr=False)
    image: PIL.Image.Image = field(repr=False)
    jump: float
    """Difference from the frame right before it: large at a cut, small during movement."""
    change: float
    """Difference from the key frame before it."""


@dataclass
class KeyFrameSelector:
    """Selects key frames from a stream of frames, never more than `max_frames`."""

    max_frames: int = MAX_FRAMES
    selected: list[KeyFrame] = field(default_factory=list)
    dropped: int = 0
    """Frames that differ enough, but exceed the limit."""
    _last: Signature | None = None

    def add(self, time: float, signature: Signature, image: Callable[[], PIL.Image.Image]) -> None:
        """Add the next frame. signature: its blocks, (GRID, GRID, 3) uint8. image: converts the frame, if it is selected."""
        jump = 0.0 if self._last is None else difference(self._last, signature)
        self._last = signature
        change = difference(self.selected[-1].signature, signature) if self.selected else 0.0
        if self.selected and change < MIN_CHANGE:
            return
        if len(self.selected) == self.max_frames:
            self.dropped += 1
            least = min(
                range(1, self.max_frames), key=lambda index: self._weight(index, time), default=0
            )
            weight = _weight(jump, change, time - self.selected[-1].time, time / self.max_frames)
            if not least or weight <= self._weight(least, time):
                return
            self._drop(least)
            change = difference(self.selected[-1].signature, signature)
        self.selected.append(KeyFrame(time, signature, image(), jump, change))

    def _weight(self, index: int, now: float) -> float:
        frame = self.selected[index]
        return _weight(
            frame.jump,
            frame.change,
            frame.time - self.selected[index - 1].time,
            now / self.max_frames,
        )

    def _drop(self, index: int) -> None:
        del self.selected[index]
        if index < len(self.selected):
            after = self.selected[index]
            after.change = difference(self.selected[index - 1].signature, after.signature)


def _weight(jump: float, change: float, gap: float, spacing: float) -> float:
    """Return the importance of a frame: a jump counts in full, a change less if it follows another key frame soon.

    gap: seconds since the key frame before; spacing: seconds between key frames if they were evenly spaced.
    """
    return jump + change * min(1.0, gap / spacing)


def difference(one: Signature, other: Signature) -> float:
    """Return the root mean square difference of the blocks of two frames, 0 to 255."""
    import numpy as np

    return float(np.sqrt(np.mean(np.square(one.astype(np.float32) - other))))
