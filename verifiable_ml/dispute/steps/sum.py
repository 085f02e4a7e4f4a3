# SPDX-License-Identifier: MIT OR Apache-2.0
"""sum, an element at a time: the innermost axes lie side by side."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "sum", 0


def terms(descriptor: Descriptor) -> int:
    """Entries of the summed axes."""
    return prod(descriptor.operands[0].shape[-descriptor.attributes.axes :])


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """Adds x."""
    base = piece.element * piece.descriptor.terms
    return Accumulator(start.value + sum(read(0, base + term) for term in piece.terms))
