# SPDX-License-Identifier: MIT OR Apache-2.0
"""argmax, an element at a time: value and index of the first that no later one exceeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifiable_ml.commitment import Dtype
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "argmax", Dtype.I64.low


def terms(descriptor: Descriptor) -> int:
    """Entries of the innermost axis."""
    return descriptor.operands[0].shape[-1]


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """Replaced by what is strictly greater, so that of equals the first index stays; index 0 is that of nothing yet."""
    best = start
    for term in piece.terms:
        value = read(0, piece.element * piece.descriptor.terms + term)
        if value > best.value:
            best = Accumulator(value, term)
    return best
