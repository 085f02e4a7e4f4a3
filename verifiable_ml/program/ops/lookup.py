# SPDX-License-Identifier: MIT OR Apache-2.0
"""lookup: table[position of x]. Covers every unary function: sigmoid, gelu, exp, log, rsqrt …

Shapes: x any, table [entries], output as x. With `mantissa` = 0 the position is x - base. With m > 0, for wide x >= 0, it
is x itself below 2^m, and above it the exponent e and the m bits behind the leading one:
(e - m + 1) * 2^m + ((x >> (e - m)) - 2^m), e = floor(log2 x): 2^m entries for each doubling. Source: design.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, DomainError, Known, ShapeMismatch
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "lookup", 7, False
MAX_ENTRIES = 1 << 16


@dataclass(frozen=True, slots=True)
class Attributes:
    """The x of the first entry, and the bits of a mantissa (0: none)."""

    base: int
    mantissa: int = 0


def position(attributes: Attributes, x: IntArray) -> IntArray:
    """Where in the table each x stands; int64, the shape of x."""
    if not attributes.mantissa:
        return x - attributes.base
    m = attributes.mantissa
    x = x.astype(np.int64)
    exponent = np.maximum(_log2(x), m)
    return np.where(x < 1 << m, x, ((exponent - m + 1) << m) + (x >> (exponent - m)) - (1 << m))


def _log2(x: IntArray) -> IntArray:
    """floor(log2 x) for x >= 1, exact in integers: a logarithm of floats is not."""
    exponent = np.zeros_like(x)
    for bits in (32, 16, 8, 4, 2, 1):
        exponent += np.where(x >> (exponent + bits) > 0, bits, 0)
    return exponent


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """As x. Raises ShapeMismatch."""
    x, table = shapes
    if len(table) != 1 or not 1 <= table[0] <= MAX_ENTRIES:
        raise ShapeMismatch(f"a table has one axis of 1 to 2^16 entries, not {list(table)}")
    if not 0 <= attributes.mantissa <= 16 or (attributes.mantissa and attributes.base):
        raise ShapeMismatch(f"{attributes}: a mantissa has at most 16 bits, and starts at 0")
    return x


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """The entry."""
    x, table = operands
    return table[position(attributes, x)]


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """Least and greatest of the entries that x can reach. Raises DomainError if x can leave the table."""
    x, table = operands
    if table.values is None:
        raise ShapeMismatch("lookup's table is a constant")
    if attributes.mantissa and x.interval.low < 0:
        raise DomainError(f"x reaches {x.interval.low}, and a table by mantissa takes none below 0")
    if attributes.mantissa:
        first, last = position(attributes, np.array([x.interval.low, x.interval.high])).tolist()
    else:  # in Python's integers: far below its base, x - base would wrap into the table
        first, last = x.interval.low - attributes.base, x.interval.high - attributes.base
    if first < 0 or last >= len(table.values):
        raise DomainError(f"x in [{x.interval.low}, {x.interval.high}] leaves a table of {len(table.values)} entries")
    reached = table.values[first : last + 1]
    return Accumulator.of(Interval(int(reached.min()), int(reached.max())))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
