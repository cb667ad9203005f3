"""Which frames of a video tell what happens in it: the first, and each that differs from the one chosen before it.

After Zhang, Wu, Zhong and Smoliar, An integrated system for content-based video retrieval and browsing (1997): a frame becomes
a key frame where it differs enough from the last key frame. So cuts, fades, scrolling and movement are found by one rule, and a
still video has one frame. Of more than there is room for, cuts stay, then those that are unlike the one before and not close to it.
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
    jump: float
    """How much it differs from the frame right before it: much where there is a cut, little where something moves."""
    change: float
    """How much it differs from the one chosen before it."""


@dataclass
class Scenes:
    """The frames chosen so far, never more than `most`."""

    most: int = MOST
    chosen: list[Scene] = field(default_factory=list)
    dropped: int = 0
    """Frames that differ enough, and had no room."""
    _last: Signature | None = None

    def offer(self, time: float, signature: Signature, picture: Callable[[], Picture]) -> None:
        """Show the next frame, as (blocks, blocks, 3) uint8; its picture is made only if it is chosen."""
        jump = 0.0 if self._last is None else difference(self._last, signature)
        self._last = signature
        change = difference(self.chosen[-1].signature, signature) if self.chosen else 0.0
        if self.chosen and change < CHANGE:
            return
        if len(self.chosen) == self.most:
            self.dropped += 1
            least = min(range(1, self.most), key=lambda index: self._worth(index, time), default=0)
            if not least or _worth(jump, change, time - self.chosen[-1].time, time / self.most) <= self._worth(least, time):
                return
            self._drop(least)
            change = difference(self.chosen[-1].signature, signature)
        self.chosen.append(Scene(time, signature, picture(), jump, change))

    def _worth(self, index: int, now: float) -> float:
        scene = self.chosen[index]
        return _worth(scene.jump, scene.change, scene.time - self.chosen[index - 1].time, now / self.most)

    def _drop(self, index: int) -> None:
        del self.chosen[index]
        if index < len(self.chosen):
            after = self.chosen[index]
            after.change = difference(self.chosen[index - 1].signature, after.signature)


def _worth(jump: float, change: float, gap: float, spacing: float) -> float:
    """What a frame tells: a cut all of it, a change the less the sooner it comes after another one. Spacing: of even ones."""
    return jump + change * min(1.0, gap / spacing)


def difference(one: Signature, other: Signature) -> float:
    """How unlike two frames are: the root of the mean square difference of their blocks' colours, 0 to 255."""
    import numpy as np

    return float(np.sqrt(np.mean(np.square(one.astype(np.float32) - other))))
