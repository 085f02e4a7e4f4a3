# SPDX-License-Identifier: MIT OR Apache-2.0
"""One step of a program: an operator, what it reads, and its one output tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.requantise import Requantise
from verifiable_ml.program.tensor import Interval, Shape, TensorSpec


@dataclass(frozen=True, slots=True)
class TraceRef:
    """A tensor of the trace: an input, or the output of an earlier operator."""

    index: int


@dataclass(frozen=True, slots=True)
class ConstantRef:
    """A constant of the program."""

    index: int


Operand = TraceRef | ConstantRef


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """What bounds may use of an operand: its shape, its interval, and its values if it is a constant."""

    shape: Shape
    interval: Interval
    values: IntArray | None


@dataclass(frozen=True, slots=True)
class Accumulator:
    """The accumulator's interval, one pair a channel or one for all, and the greatest magnitude of any partial sum."""

    lows: list[int]
    highs: list[int]
    magnitude: int

    @classmethod
    def of(cls, interval: Interval, magnitude: int | None = None) -> Accumulator:
        """One interval for every channel."""
        return cls([interval.low], [interval.high], interval.magnitude if magnitude is None else magnitude)

    @property
    def interval(self) -> Interval:
        """Over all channels."""
        return Interval(min(self.lows), max(self.highs))


class Kind(Protocol):
    """What each file of program/ops offers. The accumulation is the reference that every other world is tested against."""

    NAME: str
    CODE: int
    REQUANTISES: bool
    Attributes: type[Any]

    def output_shape(self, attributes: Any, shapes: tuple[Shape, ...]) -> Shape:
        """The output's shape. Raises ShapeMismatch (a ValueError)."""
        ...

    def accumulate(self, attributes: Any, operands: tuple[IntArray, ...]) -> IntArray:
        """The exact accumulation: int64 operands to an int64 tensor of the output's shape."""
        ...

    def bounds(self, attributes: Any, operands: tuple[Known, ...]) -> Accumulator:
        """What the accumulation can reach. Raises DomainError (a ValueError) if an operand can leave the domain."""
        ...

    def runs(self, attributes: Any, shapes: tuple[Shape, ...]) -> tuple[Sequence[int], ...]:
        """For each operand, how its terms lie in memory: lengths of contiguous runs, in term order. Empty: one piece."""
        ...


class ShapeMismatch(ValueError):
    """Operands that do not fit together, or attributes that do not fit them."""


class DomainError(ValueError):
    """An operand's interval leaves the domain on which the operator is total."""


@dataclass(frozen=True, eq=False, slots=True)
class Operator:
    """kind, operands, attributes, requantisation, output. `label` says where it came from; it is in no id."""

    kind: str
    operands: tuple[Operand, ...]
    attributes: Any
    requantise: Requantise | None
    output: TensorSpec
    label: str = ""
