# SPDX-License-Identifier: MIT OR Apache-2.0
"""max: over the innermost axes, or over windows. Covers MaxPool, ReduceMax; a minimum by negation.

Shapes: `axes` = n reduces x [*kept, *reduced] to [*kept]; `axes` = 0 takes windows of x [N, *spatial, C], and a tap in
the padding is no candidate. Source: ONNX ReduceMax-18, MaxPool-12; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known, ShapeMismatch
from verifiable_ml.program.ops.windows import Windows
from verifiable_ml.program.tensor import Shape

NAME, CODE, REQUANTISES = "max", 6, False
NEUTRAL = np.iinfo(np.int64).min
MAX_TAPS = 1 << 12
"""64 by 64; larger windows are axes."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """Either `axes` innermost axes, or windows (then axes = 0); pads are all begins, then all ends."""

    axes: int = 0
    kernel: Shape = ()
    strides: Shape = ()
    pads: Shape = ()
    dilations: Shape = ()

    @property
    def windows(self) -> Windows:
        """The windows, if `axes` is 0."""
        return Windows(self.kernel, self.strides, self.pads, self.dilations)


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """[*kept] or [N, *output spatial, C]. Raises ShapeMismatch."""
    (x,) = shapes
    if attributes.axes:
        if (
            not 1 <= attributes.axes <= len(x)
            or attributes.kernel
            or attributes.strides
            or attributes.pads
            or attributes.dilations
        ):
            raise ShapeMismatch(f"{attributes} does not fit {list(x)}: either innermost axes, or windows")
        return x[: -attributes.axes]
    attributes.windows.check(x)
    rank = len(attributes.kernel)
    if prod(attributes.kernel) > MAX_TAPS:
        raise ShapeMismatch(f"a window of {list(attributes.kernel)} has more than {MAX_TAPS} taps")
    for axis, (pad, other) in enumerate(zip(attributes.pads[:rank], attributes.pads[rank:], strict=True)):
        if (attributes.dilations[axis] != 1 and (pad or other)) or max(pad, other) >= attributes.kernel[axis]:
            raise ShapeMismatch(f"{attributes} has a window that lies in the padding alone")
    return (x[0], *attributes.windows.extent(x[1:-1]), x[-1])


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The greatest value."""
    (x,) = operands
    if attributes.axes:
        return np.asarray(x.max(axis=tuple(range(-attributes.axes, 0))), dtype=np.int64)
    greatest = np.full(output_shape(attributes, (x.shape,)), NEUTRAL, dtype=np.int64)
    for read in attributes.windows.taps(x, fill=NEUTRAL):
        greatest = np.maximum(greatest, read)
    return greatest


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """The operand's own interval."""
    (x,) = operands
    return Accumulator.of(x.interval)


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """Contiguous over axes; a window's taps lie a channel's stride apart."""
    if attributes.axes:
        return ((prod(shapes[0][-attributes.axes :]),),)
    return ((1,) * prod(attributes.kernel),)
