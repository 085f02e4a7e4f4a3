# SPDX-License-Identifier: MIT OR Apache-2.0
"""divide, an element at a time: a rounded quotient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.opening import malformed
from verifiable_ml.dispute.positions import stretched
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "divide", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """floor((a * scale + b // 2) / b). Raises MalformedEvidence if b is below 1."""
    d = piece.descriptor
    a, b = (read(i, stretched(piece.element, d.shape, form.shape)) for i, form in enumerate(d.operands))
    if b < 1:
        raise malformed(f"a divisor of {b}")
    return Accumulator((a * d.attributes.scale + b // 2) // b)
