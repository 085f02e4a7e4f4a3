# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whether weights are integers already, as those of a model that was quantised before: then they stay what they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from verifiable_ml.quantize.value import FloatArray

COUNTED, FEWEST, LOOKED_AT, NEAR = 8, 4, 64, 2e-3
"""Of weights that may be integers already: how many integers occur at least, how many weights a row has at least, how many of
them are looked at first, and how near a whole number is one.
"""


def lattice(weights: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Weights that are whole multiples of one unit a row, as those of a model that is quantised already: the integers and the
    units. None where a row has no such unit, its largest is more than 255 of them, or at most COUNTED integers occur.
    """
    rows = weights.reshape(len(weights), -1)
    largest = np.abs(rows).max(axis=1)
    missing, units = np.flatnonzero(largest > 0), np.zeros(len(rows))
    if not missing.size or rows.shape[1] < FEWEST:
        return None
    if not all(_has_unit(rows[row, :LOOKED_AT], largest[row]) for row in missing[[0, missing.size // 2, -1]]):
        return None
    for count in range(1, 256):
        unit = largest[missing] / count
        likely = np.flatnonzero(_are_whole(rows[missing, :LOOKED_AT], unit))
        found = likely[_are_whole(rows[missing[likely]], unit[likely])]
        units[missing[found]] = unit[found]
        missing = np.delete(missing, found)
        if not missing.size:
            break
    if missing.size:
        return None
    units[units == 0] = units.max()
    together = units / units.min()
    if (np.abs(together - np.rint(together)) < NEAR).all() and largest.max() < 256 * units.min():
        units = np.full(len(rows), units.min())
    integers = np.rint(weights / units.reshape(-1, *[1] * (weights.ndim - 1)))
    return (integers, units) if len(np.unique(integers)) > COUNTED else None


def _has_unit(row: FloatArray, largest: float) -> bool:
    """Whether some unit will do for one row. Of most weights none does, which a few rows say sooner than all."""
    steps = row * np.arange(1, 256)[:, None] / largest
    return bool((np.abs(steps - np.rint(steps)) < NEAR).all(axis=1).any())


def _are_whole(rows: FloatArray, units: FloatArray) -> npt.NDArray[np.bool_]:
    steps = rows / units[:, None]
    return np.asarray((np.abs(steps - np.rint(steps)) < NEAR).all(axis=1))
