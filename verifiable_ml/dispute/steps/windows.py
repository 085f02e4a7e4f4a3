# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where the tap of a window lies: the geometry that conv and max share, a window at a time."""

from __future__ import annotations

from verifiable_ml.dispute.positions import coordinates
from verifiable_ml.program.ops.windows import Windows
from verifiable_ml.program.tensor import Shape


def tapped(over: Windows, place: Shape, tap: int) -> Shape:
    """The spatial coordinates that a tap of the window at `place` reaches, outside of the tensor where it is padding."""
    taps = coordinates(tap, over.kernel)
    steps = zip(place, over.strides, over.pads, taps, over.dilations, strict=False)  # pads: begins, then ends
    return tuple(at * stride - pad + t * dilation for at, stride, pad, t, dilation in steps)


def inside(reached: Shape, spatial: Shape) -> bool:
    """Whether the coordinates lie in a tensor of that spatial shape."""
    return all(0 <= coordinate < size for coordinate, size in zip(reached, spatial, strict=True))
