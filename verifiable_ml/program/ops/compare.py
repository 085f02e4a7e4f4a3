# SPDX-License-Identifier: MIT OR Apache-2.0
"""compare: x < y, as 0 or 1. Covers decision trees, Where, masks.

Shapes: x and y broadcast to the output. Source: ONNX Less-13; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known
from verifiable_ml.program.ops.add import broadcast
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "compare", 10, False


@dataclass(frozen=True, slots=True)
class Attributes:
    """None."""


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """The broadcast shape. Raises ShapeMismatch."""
    x, y = shapes
    return broadcast((x, y))


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """1 where x < y."""
    x, y = operands
    return np.asarray(x < y, dtype=np.int64)


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """Narrower than [0, 1] where the intervals decide."""
    x, y = operands
    return Accumulator.of(Interval(int(x.interval.high < y.interval.low), int(x.interval.low < y.interval.high)))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
