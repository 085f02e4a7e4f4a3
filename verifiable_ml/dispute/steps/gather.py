# SPDX-License-Identifier: MIT OR Apache-2.0
"""gather, an element at a time: the index first, then one entry of the row that it names."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.opening import malformed
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "gather", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """data[index]. Raises MalformedEvidence if the index leaves the rows."""
    rows, *row = piece.descriptor.operands[0].shape
    place, within = divmod(piece.element, prod(row))
    index = read(1, place)
    if not 0 <= index < rows:
        raise malformed(f"row {index} of {rows}")
    return Accumulator(read(0, index * prod(row) + within))
