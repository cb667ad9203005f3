"""Which frames of a video tell what happens in it: the first, and each that differs from the one chosen before it.

After Zhang, Wu, Zhong and Smoliar, An integrated system for content-based video retrieval and browsing (1997): a frame becomes
a key frame where it differs enough from the last key frame. So cuts, fades, scrolling and movement are found by one rule, and a
still video has one frame. Of more than there is room for, the least different go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture

    Signature: TypeAlias = np.ndarray[Any, Any]

GRID = 32
"""A frame is compared as so many by so many blocks of mean colour."""
CHANGE = 2.5
"""Root of the mean square difference, of 255, from which on a frame is another: a word that is typed on a screen counts, a
pointer that moves or the noise of a codec does not."""
MOST = 16


@dataclass(slots=True)
class Scene:
    """A frame that was chosen."""

    time: float
    """Seconds."""
    signature: Signature = field(repr=False)
    picture: Picture = field(repr=False)
    change: float
    """How much it differs from the one before it."""


@dataclass
class Scenes:
    """The frames chosen so far. Never more than `most` and one are held."""

    most: int = MOST
    threshold: float = CHANGE
    chosen: list[Scene] = field(default_factory=list)
    dropped: int = 0
    """Frames that had been chosen, and went for others."""

    def offer(self, time: float, signature: Signature, picture: Callable[[], Picture]) -> None:
        """Show the next frame, as (blocks, blocks, 3) uint8; its picture is made only if it is chosen."""
        change = difference(self.chosen[-1].signature, signature) if self.chosen else 0.0
        if self.chosen and change < self.threshold:
            return
        self.chosen.append(Scene(time, signature, picture(), change))
        if len(self.chosen) > self.most:
            self._drop_one()

    def _drop_one(self) -> None:
        """Let the least different go, the first excepted; what differs less is not worth choosing from now on."""
        least = min(range(1, len(self.chosen)), key=lambda index: self.chosen[index].change)
        self.threshold = max(self.threshold, self.chosen.pop(least).change)
        self.dropped += 1
        if least < len(self.chosen):
            after = self.chosen[least]
            after.change = difference(self.chosen[least - 1].signature, after.signature)


def difference(one: Signature, other: Signature) -> float:
    """How unlike two frames are: the root of the mean square difference of their blocks' colours, 0 to 255."""
    import numpy as np

    return float(np.sqrt(np.mean(np.square(one.astype(np.float32) - other))))
