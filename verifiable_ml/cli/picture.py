# SPDX-License-Identifier: MIT OR Apache-2.0
"""A small picture as text: one sign a pixel, twice, since letters are twice as high as wide."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

SHADES = " .:-=+*#%@"


def picture(values: npt.ArrayLike, low: float, high: float) -> list[str]:
    """Lines for a square picture of any shape with a square number of elements; [] for anything else."""
    pixels = np.asarray(values, dtype=np.float64).reshape(-1)
    side = math.isqrt(pixels.size)
    if side * side != pixels.size or side < 2 or high <= low:
        return []
    shades = np.clip((pixels - low) / (high - low) * (len(SHADES) - 1), 0, len(SHADES) - 1).astype(int)
    return ["".join(2 * SHADES[shade] for shade in row).rstrip() for row in shades.reshape(side, side)]
