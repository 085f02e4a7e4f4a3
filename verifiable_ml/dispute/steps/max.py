# SPDX-License-Identifier: MIT OR Apache-2.0
"""max, an element at a time: over the innermost axes, or over the taps of a window, of which those in the padding are none."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from verifiable_ml.commitment import Dtype
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.positions import coordinates, flat
from verifiable_ml.dispute.steps.piece import Piece, Read
from verifiable_ml.dispute.steps.windows import inside, tapped

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "max", Dtype.I64.low


def terms(descriptor: Descriptor) -> int:
    """Entries of the reduced axes, or taps of the window."""
    a = descriptor.attributes
    return prod(descriptor.operands[0].shape[-a.axes :] if a.axes else a.kernel)


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """The greatest of what came before and of the candidates."""
    greatest = start.value
    for position in _candidates(piece):
        greatest = max(greatest, read(0, position))
    return Accumulator(greatest)


def _candidates(piece: Piece) -> Iterator[int]:
    d, a = piece.descriptor, piece.descriptor.attributes
    x = d.operands[0].shape
    if a.axes:
        yield from (piece.element * d.terms + term for term in piece.terms)
        return
    image, *place, channel = coordinates(piece.element, d.shape)
    for tap in piece.terms:
        reached = tapped(a.windows, tuple(place), tap)
        if inside(reached, x[1:-1]):
            yield flat((image, *reached, channel), x)
