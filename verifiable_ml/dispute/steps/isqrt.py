# SPDX-License-Identifier: MIT OR Apache-2.0
"""isqrt, an element at a time: floor(sqrt(x))."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.opening import malformed
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "isqrt", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """The root. Raises MalformedEvidence of a negative number."""
    x = read(0, piece.element)
    if x < 0:
        raise malformed(f"a root of {x}")
    return Accumulator(isqrt(x))
