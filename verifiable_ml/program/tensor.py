# SPDX-License-Identifier: MIT OR Apache-2.0
"""A tensor of a program: a shape and a proven interval of integers. Its type follows from the interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from verifiable_ml.commitment import Dtype

Shape = tuple[int, ...]

MAX_RANK = 32
"""NumPy's own limit before its second version; no model comes near."""
MAX_ELEMENTS = 1 << 31
"""Of one tensor, padding included. A few hundred bytes of a stranger's program must not ask for more memory than anybody has."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Every integer from `low` to `high`, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"[{self.low}, {self.high}] is empty")

    @property
    def dtype(self) -> Dtype:
        """The narrowest of u8, i16, i32, i64 that holds it. Raises OverflowError beyond 64 bits."""
        return Dtype.holding(self.low, self.high)

    @property
    def magnitude(self) -> int:
        """The greatest absolute value."""
        return max(abs(self.low), abs(self.high))

    def shifted(self, by: int) -> Interval:
        """Every element plus `by`."""
        return Interval(self.low + by, self.high + by)

    def within(self, other: Interval) -> bool:
        """Whether `other` holds every element."""
        return other.low <= self.low and self.high <= other.high

    def __mul__(self, other: Interval) -> Interval:
        """Every product of two elements."""
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    @classmethod
    def hull(cls, intervals: Iterable[Interval]) -> Interval:
        """The least interval that holds all of them."""
        every = tuple(intervals)
        return cls(min(i.low for i in every), max(i.high for i in every))


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What is known of a tensor before any input is: its shape and its interval."""

    shape: Shape
    interval: Interval

    @property
    def dtype(self) -> Dtype:
        """The type its bytes have in a trace."""
        return self.interval.dtype

    def stacked(self, count: int) -> TensorSpec:
        """Of `count` such tensors, one after the other along a new first axis."""
        return TensorSpec((count, *self.shape), self.interval)

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes in a trace."""
        return self.size * self.dtype.width
