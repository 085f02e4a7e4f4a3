# SPDX-License-Identifier: MIT OR Apache-2.0
"""mul, an element at a time: one element of each operand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.positions import stretched
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "mul", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """Adds (x - x_zero)(y - y_zero)."""
    d, a = piece.descriptor, piece.descriptor.attributes
    x, y = (read(i, stretched(piece.element, d.shape, form.shape)) for i, form in enumerate(d.operands))
    return Accumulator(start.value + (x - a.x_zero) * (y - a.y_zero))
