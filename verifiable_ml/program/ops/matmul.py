# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul: sum over k of (x - x_zero)(w - w_zero). Covers MatMul, Gemm, Linear, attention, trees.

Shapes: x [..., m, K] (or [K]), w [N, K] for every batch or [..., N, K] one a batch; output [..., m, N]. The second
operand has its terms innermost, so that a dot product reads few leaves. Source: ONNX MatMulInteger-10; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known, ShapeMismatch
from verifiable_ml.program.ops.dot import tensor_bounds, weight_bounds
from verifiable_ml.program.tensor import Shape

NAME, CODE, REQUANTISES = "matmul", 1, True


@dataclass(frozen=True, slots=True)
class Attributes:
    """The integers that stand for zero in each operand."""

    x_zero: int = 0
    w_zero: int = 0


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """[..., m, N]. Raises ShapeMismatch."""
    x, w = shapes
    if len(w) < 2 or not x or x[-1] != w[-1]:
        raise ShapeMismatch(f"x {list(x)} and w {list(w)} do not share their last axis")
    if len(w) > 2 and (len(x) != len(w) or x[:-2] != w[:-2]):
        raise ShapeMismatch(f"x {list(x)} and w {list(w)} do not share their batch axes")
    return (*x[:-1], w[-2])


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The sum over k."""
    x, w = operands
    total: IntArray = np.matmul(x - attributes.x_zero, np.swapaxes(w - attributes.w_zero, -1, -2))
    return total


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """From the actual weights where they are constant, a channel each; from both intervals otherwise."""
    x, w = operands
    centred = x.interval.shifted(-attributes.x_zero)
    if w.values is None or len(w.shape) > 2:
        return tensor_bounds(centred, w.interval.shifted(-attributes.w_zero), terms=w.shape[-1])
    return weight_bounds(centred, w, attributes.w_zero)


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """Both operands are read along their innermost axis."""
    terms = shapes[0][-1]
    return ((terms,), (terms,))
