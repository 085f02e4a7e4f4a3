# SPDX-License-Identifier: MIT OR Apache-2.0
"""divide: floor((a * scale + b // 2) / b), b >= 1: rounded division of tensors. Covers Softmax (last), normalisations.

Shapes: a and b broadcast to the output. 1 <= scale < 2^47. Source: ONNX Div-14; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, DomainError, Known, ShapeMismatch
from verifiable_ml.program.ops.add import broadcast
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "divide", 8, False
MAX_NUMERATOR = 1 << 62


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the numerator is multiplied by."""

    scale: int = 1


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """The broadcast shape. Raises ShapeMismatch."""
    a, b = shapes
    if not 1 <= attributes.scale < 1 << 47:
        raise ShapeMismatch(f"scale {attributes.scale} is not in [1, 2^47)")
    return broadcast((a, b))


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The rounded quotient."""
    a, b = operands
    quotient: IntArray = (a * attributes.scale + b // 2) // b
    return quotient


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """Least and greatest over the corners. Raises DomainError if b can be below 1, or the numerator reach 2^62."""
    a, b = operands
    if b.interval.low < 1:
        raise DomainError(f"the divisor reaches {b.interval.low}, and 1 is its least value")
    if a.interval.magnitude * attributes.scale + b.interval.high >= MAX_NUMERATOR:
        raise DomainError(f"the numerator reaches {a.interval.magnitude * attributes.scale}, and 2^62 is the limit")
    corners = [
        (x * attributes.scale + y // 2) // y for x in (a.interval.low, a.interval.high) for y in (b.interval.low, b.interval.high)
    ]
    # monotone in a; in b only up to the rounding, so 1 is left on either side, but the sign of a is kept
    low, high = min(corners) - 1, max(corners) + 1
    low, high = max(low, 0) if a.interval.low >= 0 else low, min(high, 0) if a.interval.high <= 0 else high
    return Accumulator.of(Interval(low, high))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
