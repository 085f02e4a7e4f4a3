# SPDX-License-Identifier: MIT OR Apache-2.0
"""gather: rows of a table or a tensor by a bounded index. Covers embeddings, walking deep forests.

Shapes: data [R, *row], indices any, output [*indices, *row]. Source: ONNX Gather-13 with axis = 0; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, DomainError, Known, ShapeMismatch
from verifiable_ml.program.tensor import Shape

NAME, CODE, REQUANTISES = "gather", 12, False


@dataclass(frozen=True, slots=True)
class Attributes:
    """None."""


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """[*indices, *row]. Raises ShapeMismatch."""
    data, indices = shapes
    if not data:
        raise ShapeMismatch("gather reads rows, and a scalar has none")
    return (*indices, *data[1:])


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The rows."""
    data, indices = operands
    return data[indices]


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """The data's interval. Raises DomainError if an index can leave the rows."""
    data, indices = operands
    if indices.interval.low < 0 or indices.interval.high >= data.shape[0]:
        raise DomainError(f"indices in [{indices.interval.low}, {indices.interval.high}] leave {data.shape[0]} rows")
    return Accumulator.of(data.interval)


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
