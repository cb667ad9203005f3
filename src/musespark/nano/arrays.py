"""Names for the arrays that the native model computes with; shapes stand in the docstrings."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
"""Weights, activations, keys, values, logits, patches."""
Ints: TypeAlias = NDArray[np.int64]
"""Tokens, positions, indices."""
Bools: TypeAlias = NDArray[np.bool_]
"""Masks."""
Pixels: TypeAlias = NDArray[np.uint8]
"""Images, (height, width, 3)."""
Array: TypeAlias = NDArray[Any]
"""Measurements on images and other arrays that mix the types above."""
