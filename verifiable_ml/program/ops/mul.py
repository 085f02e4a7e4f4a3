# SPDX-License-Identifier: MIT OR Apache-2.0
"""mul: (x - x_zero)(y - y_zero), broadcast. Covers gates, masks, squeeze-excite, squares.

Shapes: two operands that broadcast to the output. Source: ONNX Mul-14; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known
from verifiable_ml.program.ops.add import broadcast
from verifiable_ml.program.tensor import Shape

NAME, CODE, REQUANTISES = "mul", 4, True


@dataclass(frozen=True, slots=True)
class Attributes:
    """The integers that stand for zero in each operand."""

    x_zero: int = 0
    y_zero: int = 0


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """The broadcast shape. Raises ShapeMismatch."""
    x, y = shapes
    return broadcast((x, y))


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The product."""
    x, y = operands
    product: IntArray = (x - attributes.x_zero) * (y - attributes.y_zero)
    return product


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """Every product of the two intervals."""
    x, y = operands
    return Accumulator.of(x.interval.shifted(-attributes.x_zero) * y.interval.shifted(-attributes.y_zero))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
