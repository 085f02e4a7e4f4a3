# SPDX-License-Identifier: MIT OR Apache-2.0
"""conv: matmul over windows; padding reads x_zero. Covers Conv (groups, strides, dilation), AveragePool, linear Resize.

Shapes: x [N, *spatial, C], w [O, *kernel, C/groups], output [N, *output spatial, O]. Terms run over the kernel's axes,
then over input channels. Source: ONNX ConvInteger-10, channel-last; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known, ShapeMismatch
from verifiable_ml.program.ops.dot import weight_bounds
from verifiable_ml.program.ops.windows import Windows
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "conv", 2, True


@dataclass(frozen=True, slots=True)
class Attributes:
    """Zero points, and the windows: pads are all begins, then all ends."""

    x_zero: int
    w_zero: int
    strides: Shape
    pads: Shape
    dilations: Shape
    groups: int


def windows(attributes: Attributes, w: Shape) -> Windows:
    """The windows that a kernel of shape `w` moves over."""
    return Windows(w[1:-1], attributes.strides, attributes.pads, attributes.dilations)


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """[N, *output spatial, O]. Raises ShapeMismatch."""
    x, w = shapes
    over = windows(attributes, w)
    over.check(x)
    if attributes.groups < 1 or w[-1] * attributes.groups != x[-1] or w[0] % attributes.groups:
        raise ShapeMismatch(f"x {list(x)}, w {list(w)} and {attributes.groups} groups do not fit together")
    return (x[0], *over.extent(x[1:-1]), w[0])


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The sum over taps and input channels, a group at a time."""
    x, w = operands
    total = np.zeros(output_shape(attributes, (x.shape, w.shape)), dtype=np.int64)
    inner, outer = w.shape[-1], w.shape[0] // attributes.groups
    for place, read in enumerate(windows(attributes, w.shape).taps(x, fill=attributes.x_zero)):
        for group in range(attributes.groups):
            into = slice(group * outer, (group + 1) * outer)
            weights = w[into].reshape(outer, -1, inner)[:, place] - attributes.w_zero
            total[..., into] += (read[..., group * inner : (group + 1) * inner] - attributes.x_zero) @ weights.T
    return total


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """From the actual weights, a channel each; a padded tap adds nothing, so 0 belongs to x where there is padding."""
    x, w = operands
    if w.values is None:
        raise ShapeMismatch("conv's weights are a constant")
    centred = x.interval.shifted(-attributes.x_zero)
    if any(attributes.pads):
        centred = Interval.hull([centred, Interval(0, 0)])
    return weight_bounds(centred, w, attributes.w_zero)


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """x: neighbouring taps of a row join if nothing lies between them. w: the whole kernel of a channel."""
    _, w = shapes
    taps = prod(w[1:-1])
    joined = attributes.groups == 1 and attributes.dilations[-1] == 1
    row = w[-2] if joined else 1
    return ((row * w[-1],) * (taps // row), (taps * w[-1],))
