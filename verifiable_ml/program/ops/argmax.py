# SPDX-License-Identifier: MIT OR Apache-2.0
"""argmax: the first index of the maximum along the innermost axis, on raw logits. Covers ArgMax, classifiers.

Shapes: x [*kept, n], output [*kept]. Source: ONNX ArgMax-13 with keepdims = 0, select_last_index = 0; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known, ShapeMismatch
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "argmax", 11, False


@dataclass(frozen=True, slots=True)
class Attributes:
    """None."""


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """[*kept]. Raises ShapeMismatch."""
    (x,) = shapes
    if not x:
        raise ShapeMismatch("argmax needs an axis")
    return x[:-1]


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The first of equals."""
    (x,) = operands
    return np.asarray(np.argmax(x, axis=-1), dtype=np.int64)


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """An index."""
    (x,) = operands
    return Accumulator.of(Interval(0, x.shape[-1] - 1))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """Contiguous."""
    return ((shapes[0][-1],),)
