# SPDX-License-Identifier: MIT OR Apache-2.0
"""isqrt: floor(sqrt(x)), x >= 0. Covers LayerNorm, magnitudes.

Shapes: as x. Source: Python's math.isqrt; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, DomainError, Known
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "isqrt", 9, False
LIMIT = 1 << 53
"""Views compute it with Newton steps that are exact below."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """None."""


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """As x."""
    (x,) = shapes
    return x


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The root, of one integer after the other."""
    (x,) = operands
    return np.array([isqrt(int(value)) for value in x.flat], dtype=np.int64).reshape(x.shape)


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """The roots of both ends. Raises DomainError if x can be negative or reach 2^53."""
    (x,) = operands
    if x.interval.low < 0 or x.interval.high >= LIMIT:
        raise DomainError(f"x in [{x.interval.low}, {x.interval.high}] leaves [0, 2^53)")
    return Accumulator.of(Interval(isqrt(x.interval.low), isqrt(x.interval.high)))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
