# SPDX-License-Identifier: MIT OR Apache-2.0
"""Windows over channel-last tensors: the geometry that conv and max share. x is [N, *spatial, C]."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import ShapeMismatch
from verifiable_ml.program.tensor import MAX_ELEMENTS, Shape


@dataclass(frozen=True, slots=True)
class Windows:
    """A kernel's extent, strides, pads (all begins, then all ends, as ONNX writes them) and dilations."""

    kernel: Shape
    strides: Shape
    pads: Shape
    dilations: Shape

    def check(self, x: Shape) -> None:
        """Raises ShapeMismatch unless every window lies over at least one element of x."""
        rank = len(self.kernel)
        lengths = len(self.strides) == len(self.dilations) == rank and len(self.pads) == 2 * rank and len(x) == rank + 2
        positive = min((*self.kernel, *self.strides, *self.dilations), default=1) >= 1 and min(self.pads, default=0) >= 0
        if not rank or not lengths or not positive:
            raise ShapeMismatch(f"windows {self} do not fit a tensor of shape {list(x)}")
        if min(self.extent(x[1:-1])) < 1:
            raise ShapeMismatch(f"windows {self} are larger than the padded tensor of shape {list(x)}")
        padded = (size + self.pads[a] + self.pads[a + rank] for a, size in enumerate(x[1:-1]))
        if x[0] * prod(padded) * x[-1] > MAX_ELEMENTS:
            raise ShapeMismatch(f"windows {self} pad {list(x)} to more than 2^31 elements")

    def extent(self, spatial: Shape) -> Shape:
        """The output's spatial shape (floor, as ONNX's default ceil_mode = 0)."""
        rank = len(self.kernel)
        return tuple(
            (size + self.pads[a] + self.pads[a + rank] - self.dilations[a] * (self.kernel[a] - 1) - 1) // self.strides[a] + 1
            for a, size in enumerate(spatial)
        )

    def taps(self, x: IntArray, fill: int) -> Iterator[IntArray]:
        """For each position in the kernel, in order: what all windows read there, [N, *output spatial, C]."""
        rank = len(self.kernel)
        borders = [(0, 0), *zip(self.pads[:rank], self.pads[rank:], strict=True), (0, 0)]
        padded = np.pad(x, borders, constant_values=fill)
        for tap in product(*map(range, self.kernel)):
            spatial = tuple(
                slice(t * d, t * d + s * (n - 1) + 1, s)
                for t, d, s, n in zip(tap, self.dilations, self.strides, self.extent(x.shape[1:-1]), strict=True)
            )
            yield padded[(slice(None), *spatial, slice(None))]
