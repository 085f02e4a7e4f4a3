# SPDX-License-Identifier: MIT OR Apache-2.0
"""add, an element at a time: one element of each operand, times the coefficient of its channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.positions import stretched
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "add", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """Adds a_i * x_i over the operands."""
    d = piece.descriptor
    total = start.value
    for operand, form in enumerate(d.operands):
        total += piece.coefficients[operand] * read(operand, stretched(piece.element, d.shape, form.shape))
    return Accumulator(total)
