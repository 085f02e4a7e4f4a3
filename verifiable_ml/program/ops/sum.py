# SPDX-License-Identifier: MIT OR Apache-2.0
"""sum: over the innermost axes. Covers ReduceSum, ReduceMean, GlobalAveragePool, norms.

Shapes: x [*kept, *reduced], output [*kept]. Source: ONNX ReduceSum-13 with keepdims = 0; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known, ShapeMismatch
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "sum", 5, True


@dataclass(frozen=True, slots=True)
class Attributes:
    """How many of the innermost axes are summed."""

    axes: int = 1


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """[*kept]. Raises ShapeMismatch."""
    (x,) = shapes
    if not 1 <= attributes.axes <= len(x):
        raise ShapeMismatch(f"{attributes.axes} innermost axes of {list(x)}")
    return x[: -attributes.axes]


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The sum."""
    (x,) = operands
    return np.asarray(x.sum(axis=tuple(range(-attributes.axes, 0)), dtype=np.int64))


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """The interval times the number of terms."""
    (x,) = operands
    terms = prod(x.shape[-attributes.axes :])
    return Accumulator.of(x.interval * Interval(terms, terms))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """Contiguous."""
    return ((prod(shapes[0][-attributes.axes :]),),)
