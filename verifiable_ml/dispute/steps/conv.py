# SPDX-License-Identifier: MIT OR Apache-2.0
"""conv, an element at a time: a term is a tap of the kernel and a channel of the group; a tap in the padding adds nothing."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.positions import coordinates, flat
from verifiable_ml.dispute.steps.piece import Piece, Read
from verifiable_ml.dispute.steps.windows import inside, tapped
from verifiable_ml.program.ops.conv import windows

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "conv", 0


def terms(descriptor: Descriptor) -> int:
    """Taps times channels of a group."""
    return prod(descriptor.operands[1].shape[1:])


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """Adds (x - x_zero)(w - w_zero) for every tap that lies in x, kernel axes first, then the channels of the group."""
    d, a = piece.descriptor, piece.descriptor.attributes
    x, w = d.operands[0].shape, d.operands[1].shape
    over, inner = windows(a, w), w[-1]
    image, *place, channel = coordinates(piece.element, d.shape)
    group = channel // (w[0] // a.groups)
    total = start.value
    for term in piece.terms:
        tap, within = divmod(term, inner)
        reached = tapped(over, tuple(place), tap)
        if inside(reached, x[1:-1]):
            value = read(0, flat((image, *reached, group * inner + within), x))
            total += (value - a.x_zero) * (read(1, channel * d.terms + term) - a.w_zero)
    return Accumulator(total)
