# SPDX-License-Identifier: MIT OR Apache-2.0
"""compare, an element at a time: x < y."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.positions import stretched
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "compare", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """1 where x < y, else 0."""
    d = piece.descriptor
    x, y = (read(i, stretched(piece.element, d.shape, form.shape)) for i, form in enumerate(d.operands))
    return Accumulator(int(x < y))
