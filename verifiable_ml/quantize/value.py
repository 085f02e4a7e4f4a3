# SPDX-License-Identifier: MIT OR Apache-2.0
"""What stands for a float tensor while a graph is lowered: integers with a scale, or a sum whose requantisation is open."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from verifiable_ml.program import Interval, TraceRef
from verifiable_ml.program.tensor import Shape

if TYPE_CHECKING:
    from verifiable_ml.quantize.lowering import Lowering

FloatArray = npt.NDArray[np.float64]
ONE, NOTHING = np.ones(1), np.zeros(1)


@dataclass(frozen=True, eq=False)
class Quantised:
    """real = (integer - zero) * scale + extra; scale and extra are [1], or one an entry of the *stored* last axis.

    `layout` says which axis of the ONNX tensor each stored axis is: convolutions keep channels last.
    """

    ref: TraceRef
    scale: FloatArray
    zero: int
    layout: Shape
    extra: FloatArray = field(default_factory=lambda: NOTHING)

    @property
    def plain(self) -> bool:
        """One positive scale, nothing added: what most operators take."""
        return len(self.scale) == 1 and self.scale[0] > 0 and not self.extra.any()

    def scaled(self, by: FloatArray) -> Quantised:
        """Times a constant, [1] or one a stored last entry; costs no operator."""
        return replace(self, scale=self.scale * by, extra=self.extra * by)

    def shifted(self, by: FloatArray) -> Quantised:
        """Plus a constant; costs no operator."""
        return replace(self, extra=self.extra + by)


class Pending(Protocol):
    """An accumulation that is not emitted yet: what follows may still be folded into its requantisation."""

    @property
    def layout(self) -> Shape:
        """As of Quantised."""
        ...

    def scaled(self, by: FloatArray) -> Pending | None:
        """Times a constant, or None if this form cannot take it."""
        ...

    def shifted(self, by: FloatArray) -> Pending | None:
        """Plus a constant, or None."""
        ...

    def clipped(self, low: float, high: float) -> Pending:
        """Saturated to [low, high]."""
        ...

    def settle(self, lowering: Lowering, name: str) -> Quantised:
        """Emit the operator with a requantisation to the range of the tensor `name`."""
        ...

    def settle_raw(self, lowering: Lowering, name: str) -> Quantised:
        """Emit the operator with its accumulator as it is: for outputs, where ties and scales matter most."""
        ...


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a tensor's integers lie: real = (integer - zero) * scale, integers in `interval`."""

    scale: float
    zero: int
    interval: Interval
    fixed: bool = False
    """Whether it is the model's own, and may not be made a little coarser."""

    @classmethod
    def of(cls, low: float, high: float, bits: int, headroom: float, least: float = -inf, most: float = inf) -> Grid:
        """The grid of a range that includes 0. 8 bits: zero 0 or 128, no headroom; more: symmetric, with headroom.

        least and most are what values are proved to stay within: no headroom beyond, and no place for signs that cannot be.
        """
        if bits == 8 and low >= 0:
            return cls(max(high, 1e-30) / 255, 0, Interval(0, 255))
        if bits == 8:
            return cls(max(-low / 128, high / 127, 1e-30), 128, Interval(0, 255))
        reach, half = max(-low, high, 1e-30) * headroom, 1 << bits - 1
        below, above = min(reach, max(-least, 0.0)), min(reach, max(most, 1e-30))
        if below > above / 2:
            return cls(max(below, above) / (half - 1), 0, Interval(-half, half - 1))
        scale = (below + above) / (2 * half - 2)  # never far below 0, as after a ReLU or a Gelu
        return cls(scale, int(np.ceil(below / scale)) - half, Interval(-half, half - 1))

    @classmethod
    def of_power(cls, reach: float, bits: int) -> Grid:
        """Steps of a power of two: sums on such grids have exact coefficients."""
        half = 1 << bits - 1
        return cls(2.0 ** np.ceil(np.log2(max(reach, 1e-30) / (half - 1))), 0, Interval(-half, half - 1))

    def clipped(self, low: float, high: float) -> Interval:
        """The integers of the interval that lie in [low, high], both real."""
        least, most = self.interval.low, self.interval.high
        if np.isfinite(low):
            least = min(max(least, round(low / self.scale) + self.zero), most)
        if np.isfinite(high):
            most = max(min(most, round(high / self.scale) + self.zero), least)
        return Interval(least, most)
