# SPDX-License-Identifier: MIT OR Apache-2.0
"""lookup, an element at a time: the entry of a table at the position that x says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.opening import malformed
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "lookup", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """table[position of x]. Raises MalformedEvidence if that leaves the table."""
    x, (entries,) = read(0, piece.element), piece.descriptor.operands[1].shape
    position = _position(piece.descriptor, x)
    if not 0 <= position < entries:
        raise malformed(f"{x} is looked up at {position}, in a table of {entries} entries")
    return Accumulator(read(1, position))


def _position(descriptor: Descriptor, x: int) -> int:
    """X - base; or by mantissa: x itself below 2^m, above it the exponent and the m bits behind the leading one."""
    m: int = descriptor.attributes.mantissa
    if not m:
        return x - int(descriptor.attributes.base)
    if x < 1 << m:
        return x
    above = x.bit_length() - 1 - m
    return ((above + 1) << m) + (x >> above) - (1 << m)
