# SPDX-License-Identifier: MIT OR Apache-2.0
"""What each file of dispute/steps offers, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from verifiable_ml.dispute.accumulator import Accumulator

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

Read = Callable[[int, int], int]
"""(operand, flat position) to the integer there. Raises MalformedEvidence where nothing was opened."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some terms of one element. coefficients: of add, one an operand."""

    descriptor: Descriptor
    element: int
    terms: range
    coefficients: tuple[int, ...] = ()


class Step(Protocol):
    """One operator, an element at a time."""

    NAME: str
    NEUTRAL: int

    def terms(self, descriptor: Descriptor) -> int:
        """How many terms an element has: K of rule 36. Raises ValueError, TypeError or IndexError if the shapes do not fit."""
        ...

    def accumulate(self, piece: Piece, read: Read, start: Accumulator) -> Accumulator:
        """The accumulator after the piece's terms. Raises MalformedEvidence outside of the domain (rule 32)."""
        ...
