# SPDX-License-Identifier: MIT OR Apache-2.0
"""add: sum of a_i * x_i, broadcast. Covers Add, Sub, residuals, PReLU, constant scale and shift.

Shapes: up to 8 operands that broadcast to the output; coefficients one an operand, each for all channels or one a
channel of the output's last axis. |a| < 2^15. Source: ONNX Add-14, Sub-14; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known, ShapeMismatch
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "add", 3, True
MAX_OPERANDS = 8
MAX_COEFFICIENT = 1 << 15


@dataclass(frozen=True, slots=True)
class Attributes:
    """a_i: for each operand one coefficient, or one a channel."""

    coefficients: tuple[tuple[int, ...], ...]

    @property
    def channels(self) -> int:
        """1, or the number of channels that any operand's coefficients distinguish."""
        return max(map(len, self.coefficients))


def canonical(attributes: Attributes, shapes: tuple[Shape, ...]) -> Attributes:
    """Equal coefficients are written once."""
    return Attributes(tuple(c[:1] if len(set(c)) == 1 else tuple(c) for c in attributes.coefficients))


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """The broadcast shape. Raises ShapeMismatch."""
    coefficients = attributes.coefficients
    if not 1 <= len(shapes) <= MAX_OPERANDS or len(coefficients) != len(shapes):
        raise ShapeMismatch(f"{len(coefficients)} coefficients for {len(shapes)} operands, 1 to {MAX_OPERANDS} are taken")
    if any(abs(a) >= MAX_COEFFICIENT for each in coefficients for a in each):
        raise ShapeMismatch("a coefficient reaches 2^15")
    shape = broadcast(shapes)
    if any(len(each) not in (1, shape[-1] if shape else 1) for each in coefficients):
        raise ShapeMismatch(f"coefficients are one a channel of {list(shape)}, or one for all")
    return shape


def broadcast(shapes: tuple[Shape, ...]) -> Shape:
    """NumPy's rule. Raises ShapeMismatch."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ShapeMismatch(f"shapes {[list(s) for s in shapes]} do not broadcast") from error


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The sum over operands."""
    factors = [np.array(a if len(a) > 1 else a[0], dtype=np.int64) for a in attributes.coefficients]
    terms = [a * x for a, x in zip(factors, operands, strict=True)]
    return np.broadcast_to(sum(terms[1:], start=terms[0]), broadcast(tuple(x.shape for x in operands)))


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """A channel each, where coefficients distinguish them."""
    count = attributes.channels
    every = [a * (count // len(a)) for a in attributes.coefficients]
    parts = [[x.interval * Interval(a, a) for a in each] for x, each in zip(operands, every, strict=True)]
    lows = [sum(part.low for part in channel) for channel in zip(*parts, strict=True)]
    highs = [sum(part.high for part in channel) for channel in zip(*parts, strict=True)]
    return Accumulator(lows, highs, max(sum(part.magnitude for part in channel) for channel in zip(*parts, strict=True)))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
