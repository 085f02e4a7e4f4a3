# SPDX-License-Identifier: MIT OR Apache-2.0
"""Requantisation: from an exact accumulator to the stored integer. Bias, rescale, ReLU and saturation are this one thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import QuantisationError
from verifiable_ml.program.tensor import Interval

MAX_MULTIPLIER = 1 << 15
MAX_SHIFT = 62
MAX_ACCUMULATOR = 1 << 47
MAX_SCALED = 1 << 62
"""|acc * multiplier + offset| stays below it, so that no world needs a rule for overflow."""


@dataclass(frozen=True, eq=False, slots=True)
class Requantise:
    """y = clip((acc * multiplier + offset) >> shift, low, high); the shift is arithmetic, so it floors.

    `multiplier` and `offset` are int64 arrays of one length: 1, or the last axis of the output. multiplier lies in
    [0, 2^15), shift in [0, 62]. The one form: equal channels are written once.
    """

    multiplier: IntArray
    offset: IntArray
    shift: int
    low: int
    high: int

    def __post_init__(self) -> None:
        multiplier, offset = np.broadcast_arrays(
            np.atleast_1d(np.asarray(self.multiplier, dtype=np.int64)), np.atleast_1d(np.asarray(self.offset, dtype=np.int64))
        )
        if (multiplier == multiplier[0]).all() and (offset == offset[0]).all():
            multiplier, offset = multiplier[:1], offset[:1]
        for field, values in (("multiplier", multiplier), ("offset", offset)):
            values = values.copy()
            values.setflags(write=False)
            object.__setattr__(self, field, values)
        self._check()

    def _check(self) -> None:
        fits = (self.multiplier >= 0).all() and (self.multiplier < MAX_MULTIPLIER).all()
        if self.multiplier.ndim != 1 or not fits or not 0 <= self.shift <= MAX_SHIFT or self.low > self.high:
            raise QuantisationError(
                thing=f"a requantisation with shift {self.shift} and bounds [{self.low}, {self.high}]",
                reason="multipliers are one a channel in [0, 2^15), shifts in [0, 62], bounds in order",
                hint="choose a smaller shift, so that the multiplier fits 15 bits",
            )

    @classmethod
    def bias(cls, offset: IntArray, interval: Interval) -> Requantise:
        """Add an integer to the accumulator, and nothing else: multiplier 1, no shift."""
        return cls(np.array([1]), offset, 0, interval.low, interval.high)

    @classmethod
    def clip(cls, interval: Interval) -> Requantise:
        """Saturate the accumulator, and nothing else."""
        return cls.bias(np.array([0]), interval)

    @property
    def channels(self) -> int:
        """1, or the length of the output's last axis."""
        return len(self.multiplier)

    def __call__(self, accumulator: IntArray) -> IntArray:
        """int64 [..., C] to int64 [..., C]."""
        scaled = accumulator * self.multiplier + self.offset
        clipped: IntArray = np.clip(scaled >> self.shift, self.low, self.high)
        return clipped

    def interval(self, lows: list[int], highs: list[int]) -> Interval:
        """The output's interval, given the accumulator's by channel (or one for all). Raises QuantisationError on overflow.

        The form is monotone in the accumulator, since no multiplier is negative.
        """
        count = max(len(lows), self.channels)
        multiplier = np.broadcast_to(self.multiplier, count).tolist()
        offset = np.broadcast_to(self.offset, count).tolist()
        lows, highs = lows * (count // len(lows)), highs * (count // len(highs))
        ends = [a * m + o for values in (lows, highs) for a, m, o in zip(values, multiplier, offset, strict=True)]
        if max(map(abs, ends)) >= MAX_SCALED:
            raise QuantisationError(
                thing="a requantisation",
                reason=f"its scaled accumulator reaches {max(map(abs, ends))}, and 2^62 is the limit",
                hint="choose a smaller multiplier and shift",
            )
        clipped = [min(max(end >> self.shift, self.low), self.high) for end in ends]
        return Interval(min(clipped), max(clipped))
